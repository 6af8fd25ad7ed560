#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The database of `mybuild serve` is damaged, empty or something else: it is told with what to do, or what is served is right; never are
# there new keys in silence.
# ctest: timeout=300
. "$(dirname "$0")/lib.sh"
. "$support/cache_server.sh"
rounds=40 && [ -z "${MYBUILD_SOAK:-}" ] || rounds=2000
python3 "$support/../property/cache_server_damage.py" --mybuild "$MYBUILD" --work "$work" --rounds $rounds >log 2>&1 || fail "a damaged database"
assert_log "^cache server damage, .* 0 wrong" && cat log
# A token is not made on top of one, either.
rm -rf spoilt && cp -r good spoilt && : >spoilt/cache.db
"$MYBUILD" serve token create --root "$work/spoilt" >log 2>&1 && fail "a token for a server whose keys are lost"
assert_log "spoilt/cache.db is empty, and there are layers beside it: the keys, tokens and records of this server are lost"
