#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# With --max-size-per-namespace a branch that brings too much is refused, loses what is its own when that is old, and takes nothing from main.
. "$(dirname "$0")/lib.sh"
. "$support/cache_server.sh"
start_cache cache --max-size 100m --max-size-per-namespace 5m
"$MYBUILD" serve namespace create --root "$work/cache" pr >>log 2>&1
pr=$(serve_token cache --namespace pr --scope read,write)
upload() { # NAMESPACE NAME TOKEN: 2 MB of its own
  head -c 2000000 /dev/urandom >"$2" && digest=sha256:$(sha256sum <"$2" | cut -d' ' -f1)
  token=$3 ask -X POST --data-binary "@$2" -H 'Content-Type: application/octet-stream' "/v2/$1/blobs/uploads/?digest=$digest"
}
assert_equal "$(upload main kept "$token")" "201 "
assert_equal "$(upload pr first "$pr")" "201 "
assert_equal "$(upload pr second "$pr")" "201 "
[[ $(upload pr third "$pr") == 507*"namespace pr has its share"* ]] || fail "the third was taken: $(<answer)"
assert_equal "$(upload main other "$token")" "201 "
python3 -c 'import sqlite3, sys; db = sqlite3.connect(sys.argv[1], timeout=20); db.execute("UPDATE blob_link SET last_used = 1"); db.commit()' cache/cache.db
sleep 1.1 # who finds no room makes some, but not more often than each second
assert_equal "$(upload pr third "$pr")" "201 "
[[ $(ask -I "/v2/main/blobs/sha256:$(sha256sum <kept | cut -d' ' -f1)") == 200* ]] || fail "main lost a blob"
