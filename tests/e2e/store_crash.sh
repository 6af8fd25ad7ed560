#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout=3600
# Killed at random times, in builds, pulls, loads, runs and prune: the store is clean, nothing is left, and builds give the same bytes.
. "$(dirname "$0")/lib.sh"
rounds=30 seconds=25 && [ -z "${MYBUILD_SOAK:-}" ] || rounds=1000 seconds=0
start_registry && push "$bases/busybox" pulled:1
python3 "$support/../property/crashes.py" --mybuild "$MYBUILD" --base "$bases/busybox" --work "$work" --registry "$registry/pulled:1" \
  --rounds $rounds --seconds $seconds >log 2>&1 || fail "a store that was left by a kill is not right"
assert_log "^crashes, .* 0 wrong" && cat log
