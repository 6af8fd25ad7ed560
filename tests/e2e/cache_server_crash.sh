#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout=1800
# `mybuild serve` killed at random times under load: nothing that it acknowledged is lost or changed, and it starts again at once.
. "$(dirname "$0")/lib.sh"
. "$support/cache_server.sh"
rounds=15 && [ -z "${MYBUILD_SOAK:-}" ] || rounds=200
python3 "$support/../property/cache_server_crashes.py" --mybuild "$MYBUILD" --work "$work" --rounds $rounds >log 2>&1 || fail "after a kill"
assert_log "^cache server crashes, .* 0 wrong" && cat log
