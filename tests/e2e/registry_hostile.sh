#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A registry that lies, in all the ways of support/hostile_registry.py: a clear error in bounded time and memory, or contained; the store is unharmed.
[ -n "${OWN_MOUNTS:-}" ] || [ "$(id -u)" != 0 ] || exec unshare --mount env OWN_MOUNTS=1 bash "$0"
. "$(dirname "$0")/lib.sh"
mkdir small && mount -t tmpfs -o size=300m tmpfs small && export MYBUILD_ROOT=$work/small/root
python3 "$support/hostile_registry.py" >address 2>asked & processes+=($!)
until [ -s address ]; do sleep 0.05; done
pull() { (ulimit -v 16000000 && exec timeout 100 "$MYBUILD" pull "$(<address)/$1:1") >log 2>&1; }
while IFS='|' read -r kind text; do
  ! pull "$kind" || fail "$kind was taken"
  assert_log "ERROR.*$text" && assert_no_log "internal|SIG"
  assert_equal "$(find "$MYBUILD_ROOT/ingest" "$MYBUILD_ROOT/tmp" -mindepth 1)" "" "left after $kind"
done <"$support/hostile_registry.txt"
for kind in good others-diff-id up absolute through-link link-below overlay-xattr wait new-token-each-time; do
  pull "$kind" || fail "$kind: $(tail -n 1 log)"
done
[ ! -e /tmp/mybuild-escaped ] || fail "a layer wrote outside"
! getfattr -Rhd -m trusted.overlay.redirect "$MYBUILD_ROOT/layers" 2>/dev/null | grep . || fail "an attribute of overlayfs came with a layer"
printf 'FROM %s/good:1\nCOPY --from=%s/through-link:1 / /other/\n' "$(<address)" "$(<address)" | dockerfile
build_tree ctx && assert_file out/file honest && "$MYBUILD" fsck >log 2>&1 || fail "the store after all that"
! pull vanishes && assert_log "onnect" && "$MYBUILD" fsck >log 2>&1 || fail "a registry that goes away"
umount small
