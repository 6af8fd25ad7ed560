#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Where a right is missing, the message names it and what grants it.
. "$(dirname "$0")/lib.sh"

printf 'FROM busybox\nRUN true\n' | dockerfile
status=0
setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin "$MYBUILD" build "${busybox[@]}" ctx >log 2>&1 || status=$?
assert_equal $status 1 "exit code without CAP_SYS_ADMIN"
assert_log "CAP_SYS_ADMIN"
status=0
MYBUILD_ROOT=/proc/nowhere "$MYBUILD" build "${busybox[@]}" ctx >log 2>&1 || status=$?
assert_equal $status 1 "exit code with a state directory that cannot be"
assert_log "/proc/nowhere"
