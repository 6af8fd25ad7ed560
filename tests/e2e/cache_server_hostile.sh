#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout=900
# Hostile clients of `mybuild serve`: another one beside them does not notice, and nothing of what they did is left.
. "$(dirname "$0")/lib.sh"
. "$support/cache_server.sh"
seconds=10 && [ -z "${MYBUILD_SOAK:-}" ] || seconds=600
python3 "$support/../property/cache_server_hostile.py" --mybuild "$MYBUILD" --work "$work" --seconds $seconds >log 2>&1 || fail "hostile clients"
assert_log "^cache server hostile, .* 0 wrong" && cat log
