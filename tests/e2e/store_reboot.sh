#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# After a clean reboot, and in a copy of the state directory, nothing is damaged and nothing is unpacked again; images whose bytes a
# power cut took lose their names, and what was lost of a loaded image comes back with another load.
[ -n "${OWN_MOUNTS:-}" ] || [ "$(id -u)" != 0 ] || exec unshare --mount env OWN_MOUNTS=1 bash "$0"
. "$(dirname "$0")/lib.sh"
reboot() { cat /proc/sys/kernel/random/uuid >"$work/boot_id" && mount --bind "$work/boot_id" /proc/sys/kernel/random/boot_id; }
sound() { "$MYBUILD" fsck --root "${1:-$MYBUILD_ROOT}" >log 2>&1 && assert_log "no damage" || fail "fsck: ${2:-}"; }
inodes() { find "$MYBUILD_ROOT"/layers -path '*/fs/*' -printf '%i %p\n' | sort | sha256sum; }
printf 'FROM busybox\nRUN mkdir /d && echo a >/d/a && ln /d/a /d/b && chmod 711 /d && rm /bin/yes\n' | dockerfile && build -t one ctx
printf 'FROM busybox\nRUN echo other >/o\n' | dockerfile other && build -t two other
"$MYBUILD" save -o both.tar one two && rm -rf "$MYBUILD_ROOT"
"$MYBUILD" load -q -i both.tar >log && before=$(inodes) && rm -f "$MYBUILD_ROOT"/blobs/sha256/nothing
cp -a "$MYBUILD_ROOT" copy && sound "$work/copy" "a copy"
reboot && sound "" "the first boot" && run one cat /d/b >out && assert_file out a
reboot && sound "" "the second boot"
assert_equal "$(inodes)" "$before" "trees after two boots"
# The blobs of layers: the image runs, cannot be saved, and a load mends it.
for file in "$MYBUILD_ROOT"/blobs/sha256/*; do gzip -t "$file" 2>/dev/null && rm "$file"; done
code=0 && "$MYBUILD" fsck >log 2>&1 || code=$?
assert_equal $code 1 "fsck without blobs" && assert_log "save and push need the registry that has it; load or pull it again" && run one true
"$MYBUILD" load -q -i both.tar >log && sound && "$MYBUILD" save -o again.tar one && build -o type=oci,dest=x.tar ctx
# A config that had not reached the disk.
id=$("$MYBUILD" inspect --format '{{.Id}}' two) && : >"$MYBUILD_ROOT/blobs/sha256/${id#sha256:}"
reboot && "$MYBUILD" images --format '{{.Repository}}' >out 2>log && assert_file out one && assert_log "two:latest"
"$MYBUILD" images 2>log >out && assert_equal "$(cat log)" "" "told once" && sound
umount /proc/sys/kernel/random/boot_id && umount /proc/sys/kernel/random/boot_id && umount /proc/sys/kernel/random/boot_id
