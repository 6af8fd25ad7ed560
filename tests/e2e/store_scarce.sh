#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout=3600
# A disk without bytes or inodes, a read-only one, no descriptors: every command works or says why not, and all is right when there is room again.
[ -n "${OWN_MOUNTS:-}" ] || [ "$(id -u)" != 0 ] || exec unshare --mount env OWN_MOUNTS=1 bash "$0"
. "$(dirname "$0")/lib.sh"
steps=2 && [ -z "${MYBUILD_SOAK:-}" ] || steps=60
start_registry && push "$bases/busybox" pulled:1
for what in bytes inodes descriptors writes; do
  python3 "$support/../property/scarcity.py" --mybuild "$MYBUILD" --base "$bases/busybox" --work "$work" --of $what --steps $steps \
    --registry "$registry/pulled:1" >log 2>&1 || fail "without $what"
  assert_log "^scarcity of $what: .* 0 wrong" && tail -n 1 log
done
