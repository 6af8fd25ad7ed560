#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A layer whose bytes a registry lost is refused; an image whose config lies of a good image's blob takes nothing from it.
. "$(dirname "$0")/lib.sh"
start_registry
push "$bases/busybox" good:1
layer=$(manifest_of "$bases/busybox" | jq -r '.layers[0].digest')
"$MYBUILD" pull -q "$registry/good:1" >log 2>&1
cp -r "$bases/busybox" liar && lie=$(config_of liar | jq -c '.rootfs.diff_ids[0] = "sha256:" + "1" * 64')
put() { printf %s "$1" >x && sum=$(sha256sum <x | cut -d' ' -f1) && size=$(stat -c %s x) && mv x "liar/blobs/sha256/$sum"; }
manifest=$(manifest_of liar)
put "$lie" && put "$(jq -c --arg d "sha256:$sum" --argjson s "$size" '.config.digest = $d | .config.size = $s' <<<"$manifest")"
jq -c --arg d "sha256:$sum" --argjson s "$size" '.manifests[0].digest = $d | .manifests[0].size = $s' liar/index.json >x && mv x liar/index.json
push "$work/liar" liar:1
! "$MYBUILD" pull "$registry/liar:1" >log 2>&1 || fail "a config that lies of its layer"
"$MYBUILD" fsck >log 2>&1 && "$MYBUILD" save -o saved.tar "$registry/good:1" 2>log || fail "the good image lost its blob"

printf 'FROM %s/good:1\nRUN true\n' "$registry" | dockerfile
find registry -path "*${layer#*:}/data" -exec dd if=/dev/urandom of={} bs=1 seek=5000 count=9 conv=notrunc status=none \;
export MYBUILD_ROOT=$work/fresh
build_fails -t image ctx
assert_log "$layer"
! "$MYBUILD" run --rm --pull never image 2>log || fail "an image on a broken layer runs"
