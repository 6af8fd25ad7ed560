#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout=7200
# The power goes at random moments of builds, on file systems with several orders of writing: what was not synced is gone, no image is
# wrong afterwards, and builds give the same bytes. A mount namespace of its own keeps the disks away from everybody else.
[ -n "${OWN_MOUNTS:-}" ] || [ "$(id -u)" != 0 ] || exec unshare --mount env OWN_MOUNTS=1 bash "$0"
. "$(dirname "$0")/lib.sh"
command -v mkfs.btrfs >/dev/null || skip "needs mkfs.btrfs (btrfs-progs): a disk is cloned while it is written"
grep -qw btrfs /proc/filesystems || modprobe btrfs 2>/dev/null || skip "this kernel has no btrfs"
[ -e /dev/loop-control ] || skip "needs loop devices"
rounds=4 seconds=12 && [ -z "${MYBUILD_SOAK:-}" ] || rounds=200 seconds=0
for kind in ext4 ext4-writeback ext4-nodelalloc btrfs; do
  [ -n "${MYBUILD_SOAK:-}" ] || [[ $kind != @(ext4-nodelalloc|btrfs) ]] || continue
  python3 "$support/../property/power_cuts.py" --mybuild "$MYBUILD" --base "$bases/busybox" --work "$work" --kind $kind --rounds $rounds --seconds $seconds >log 2>&1 ||
    fail "after a power cut on $kind something is not right"
  assert_log "^power cuts on $kind, .* 0 wrong" && tail -n 2 log
done
