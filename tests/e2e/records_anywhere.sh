#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# No path, process or fact of a machine is in a key or a record: two states in other places, with contexts of other names, filled
# under other environments, have the same ones. Times may differ.
. "$(dirname "$0")/lib.sh"
rows() {
  python3 - "$1/state.db" <<'EOF'
import json, sqlite3, sys
for row in sorted(sqlite3.connect(sys.argv[1]).execute("SELECT hex(definition_key), hex(content_key), hex(output), body FROM records")):
    body = json.loads(row[3]); op = json.loads(body["op"])
    print(*row[:3], json.dumps(body["inputs"]), op["changes"], op["size"])  # diff_id and created hold times
EOF
}
dockerfile one <<'EOF'
FROM busybox AS made
WORKDIR /w
COPY --chown=7:8 f .
RUN --mount=type=bind,target=/c --mount=type=cache,target=/k cat /c/f >g && mkdir d
FROM busybox
COPY --from=made /w/g /h
EOF
echo text >one/f
mkdir -p deep/er && cp -r one deep/er/two
MYBUILD_ROOT=$work/a-state build one
(cd deep && TMPDIR=/var/tmp HOME=/nowhere MYBUILD_ROOT=$work/root "$MYBUILD" build -q "${busybox[@]}" er/two >../log)
rows a-state >a.txt
rows root >b.txt
assert_equal "$(wc -l <a.txt)" 4 "records"
diff a.txt b.txt || fail "records differ"
! grep -E "$work|$(hostname)" a.txt || fail "a fact of this machine"
