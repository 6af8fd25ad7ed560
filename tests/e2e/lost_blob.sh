#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A layer's blob that was lost comes again from the repository that had it, for every export; where none has it, the image is named.
. "$(dirname "$0")/lib.sh"
. "$support/registries.sh"
start_registry
push "$bases/busybox" base:1
layer=$(manifest_of "$bases/busybox" | jq -r '.layers[0].digest')
"$MYBUILD" pull -q "$registry/base:1" >log 2>&1
printf 'FROM %s/base:1\nRUN echo one >/one\n' "$registry" | dockerfile && build -t "$registry/app:1" ctx
lose() { rm -f "$MYBUILD_ROOT/blobs/sha256/${layer#*:}" && ! [ -e "$MYBUILD_ROOT/blobs/sha256/${layer#*:}" ]; }
lose && "$MYBUILD" save -o saved.tar "$registry/app:1" 2>log || fail "save of an image built on it"
lose && build -o type=oci,dest=again.tar ctx
lose && "$MYBUILD" save -o base.tar "$registry/base:1" 2>log || fail "save of the base"
first=$registry && lose && serve_registry second "" "" && "$MYBUILD" tag "$first/app:1" "$registry/app:1"
"$MYBUILD" push "$registry/app:1" >out 2>log || fail "push elsewhere"
skopeo copy -q --src-tls-verify=false "docker://$registry/app:1" oci:elsewhere:1 || fail "skopeo"

kill "${processes[@]}" && wait "${processes[@]}" || true
lose
! "$MYBUILD" save -o saved.tar "$first/app:1" 2>log || fail "a blob from nowhere"
assert_log "layer blob $layer of the local image $first/app:1 is gone" && assert_log "pull or load the image again"
