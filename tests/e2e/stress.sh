#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout=3600
# Builders at once on one state directory, some of them killed: 0 wrong, 0 deadlocks, nothing left. ./dev soak: 10 × 50 builds.
. "$(dirname "$0")/lib.sh"
scale=(--processes 10 --builds 10 --states 16) && [ -z "${MYBUILD_SOAK:-}" ] || scale=(--processes 10 --builds 50 --states 30 --kill 0.25)
python3 "$support/../property/stress.py" --mybuild "$MYBUILD" --base "$bases/busybox" --work "$work" "${scale[@]}" >log 2>&1 || fail "a fault"
assert_log "^0 wrong, 0 failed, 0 deadlocks, 0 leaks, 0 other faults"
cat log
