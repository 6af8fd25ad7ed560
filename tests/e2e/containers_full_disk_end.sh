#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A program that fills the disk, its bytes or its files: its exit code is what run gives and what ps remembers.
# A mount namespace of its own keeps the small disk away from everybody else.
[ -n "${OWN_MOUNTS:-}" ] || [ "$(id -u)" != 0 ] || exec unshare --mount env OWN_MOUNTS=1 bash "$0"
. "$(dirname "$0")/lib.sh"

mkdir "$MYBUILD_ROOT" && mount -t tmpfs -o size=24m,nr_inodes=2000 tmpfs "$MYBUILD_ROOT"
printf 'FROM busybox\nCMD ["sh"]\n' | dockerfile
build -t image ctx
status() { "$MYBUILD" inspect -f '{{.State.Status}} {{.State.ExitCode}}' "$1"; }
for fill in 'cat /dev/zero >/fill' 'mkdir /fill; i=0; while touch /fill/$i; do i=$((i + 1)); done'; do
  code=0 && "$MYBUILD" run --name box image sh -c "$fill; exit 7" >log 2>&1 || code=$?
  assert_equal "$code $(status box)" "7 exited 7" "after a program that filled the disk"
  assert_log "No space left on device" && assert_no_log "not recorded"
  ! "$MYBUILD" start -a box >log 2>&1 || fail "started where no end could be noted" && assert_log "No space left on device"
  assert_equal "$(status box)" "exited 7" "after a start that was refused"
  "$MYBUILD" rm box >out
done
assert_equal "$("$MYBUILD" run --rm image echo again)" again "run when there is room again"
umount "$MYBUILD_ROOT"
