#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# How CI joins images of several machines: each pushed without a name, then one list of them; and the other options of pushes.
. "$(dirname "$0")/lib.sh"
. "$support/registries.sh"
start_registry
raw() { skopeo inspect --raw --tls-verify=false "docker://$registry/$1"; }
printf 'FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /file\n' | dockerfile && echo one >ctx/amd64 && echo two >ctx/arm64
for arch in amd64 arm64; do
  build --platform linux/$arch --metadata-file $arch.json -o "type=image,name=$registry/app,push-by-digest=true,name-canonical=true,push=true" ctx
done
! raw app:latest 2>/dev/null || fail "a push by digest named something"
assert_equal "$("$MYBUILD" images | grep -c "$registry/app *latest")" 0 "the local store names it"
mapfile -t images < <(jq -r '.["containerimage.digest"]' amd64.json arm64.json | sed "s#^#$registry/app@#")
"$MYBUILD" manifest create "$registry/app:1" "${images[@]}" >log && "$MYBUILD" manifest push "$registry/app:1" >log 2>&1 || fail "the list"
assert_equal "$(raw app:1 | jq -r '[.manifests[].platform.architecture] | sort | join(" ")')" "amd64 arm64" "the list"
build_fails -t "$registry/app:tagged" -o type=registry,push-by-digest=true ctx && assert_log "app:tagged has a tag"

build -o "type=image,name=$registry/dockers:1,push=true,store=false,oci-mediatypes=false" --platform linux/amd64,linux/arm64 ctx
assert_equal "$(raw dockers:1 | jq -r .mediaType)" application/vnd.docker.distribution.manifest.list.v2+json "docker's types"
raw "dockers@$(raw dockers:1 | jq -r '.manifests[0].digest')" | jq -r '.mediaType, .config.mediaType, .layers[].mediaType' >types
assert_file types "$(printf 'application/vnd.docker.%s\n' distribution.manifest.v2+json container.image.v1+json image.rootfs.diff.tar.gzip)"
assert_equal "$("$MYBUILD" images | grep -c dockers)" 0 "store=false"
build_fails --platform linux/amd64,linux/arm64 -o type=local,dest=out,platform-split=false ctx
assert_log "file of linux/arm64 would overwrite that of linux/amd64"
build --platform linux/arm64 -o type=local,dest=out,platform-split=true ctx && assert_file out/linux_arm64/file two

make_authority authority && make_certificate server authority && start_tls_registry tls
build_fails -o "type=registry,name=$registry/app:1" ctx && build -o "type=registry,name=$registry/app:1,registry.insecure=true" ctx
build_fails -o "type=registry,name=$registry/app:1,registry.insecure=true" -o "type=registry,name=$registry/app:2" ctx
