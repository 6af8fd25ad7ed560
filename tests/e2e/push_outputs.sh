#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The forms of pushing from a build, with every compression and for several platforms; a lazy base needs no download.
. "$(dirname "$0")/lib.sh"
start_registry
printf 'FROM busybox\nRUN seq 100000 >/numbers\n' | dockerfile
raw() { skopeo inspect --raw --tls-verify=false "docker://$registry/$1"; }
for compression in gzip zstd uncompressed; do
  build -o "type=registry,name=$registry/app:$compression,compression=$compression" ctx
  raw "app:$compression" | jq -r '.layers[-1].mediaType' >>types
done
assert_file types "$(printf 'application/vnd.oci.image.layer.v1.tar%s\n' +gzip +zstd "")"
assert_equal "$("$MYBUILD" images -q | wc -l)" 0 "type=registry keeps nothing in the local store"
build -t "$registry/app:both" -o type=image,push=true ctx
assert_equal "$(raw app:both | jq -r .config.digest)" "$("$MYBUILD" inspect -f '{{.Id}}' "$registry/app:both")" "the image id"
assert_equal "$(run "$registry/app:both" tail -n 1 /numbers)" 100000 "the stored image"
printf 'FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /\n' | dockerfile multi && touch multi/{amd64,arm64}
build --push --platform linux/amd64,linux/arm64 -t "$registry/multi:1" -t "$registry/second:1" multi
assert_equal "$(raw multi:1 | jq -r '[.manifests[].platform.architecture] | join(" ")')" "amd64 arm64" "the index"
assert_equal "$(raw second:1)" "$(raw multi:1)" "both names"

# A step that needs no file of its base: the base's layers stay where they are.
push "$bases/busybox" base:1
printf 'FROM %s/base:1\nENV A=1\n' "$registry" | dockerfile lazy
export MYBUILD_ROOT=$work/lazy-root
layer=$(raw base:1 | jq -r '.layers[0].digest')
build --push -t "$registry/lazy:1" lazy
! grep -F "GET /v2/base/blobs/$layer" registry.log || fail "the base's layer was downloaded"
"$MYBUILD" pull -q "$registry/lazy:1" >log 2>&1 && assert_equal "$(run "$registry/lazy:1" sh -c 'echo $A')" 1 "the pushed image"
