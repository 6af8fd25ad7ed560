#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout=7200
# Files and folders of a state directory deleted, cut, zeroed and with a flipped bit: the right answer or a clear error, never a wrong image.
[ -n "${OWN_MOUNTS:-}" ] || [ "$(id -u)" != 0 ] || exec unshare --mount env OWN_MOUNTS=1 bash "$0"
. "$(dirname "$0")/lib.sh"
[ -e /dev/loop-control ] || skip "needs loop devices"
cases=8 seconds=20 && [ -z "${MYBUILD_SOAK:-}" ] || cases=0 seconds=0 # all
python3 "$support/../property/damage.py" --mybuild "$MYBUILD" --base "$bases/busybox" --work "$work" --cases $cases --seconds $seconds >log 2>&1 ||
  fail "damage was not seen"
assert_log "^damage, .* 0 wrong" && cat log
