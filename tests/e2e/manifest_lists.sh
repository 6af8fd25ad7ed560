#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# manifest: two images become one for two platforms, in another repository of the registry and in another registry; errors name the cause.
. "$(dirname "$0")/lib.sh"
mkdir far && cd far && work=$PWD start_registry && other=$registry
cd "$work" && start_registry
raw() { skopeo inspect --raw --tls-verify=false "docker://$1"; }
manifest() { "$MYBUILD" manifest "$@" >out 2>log || fail "manifest $*"; }
refused() { ! "$MYBUILD" manifest "${@:2}" >out 2>log || fail "manifest ${*:2} works"; assert_log "$1"; }
printf 'FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /arch\n' | dockerfile && echo amd64 >ctx/amd64 && echo arm >ctx/arm
for arch in amd64 arm; do build --push --platform linux/$arch -t "$registry/$arch:1" ctx; done
list=$registry/app:1 && manifest create "$list" "$registry/amd64:1" "$registry/arm:1"
assert_file out "Created manifest list $list"
refused "no --amend flag" create "$list" "$registry/arm:1" && manifest create -a --insecure "$list" "$registry/arm:1"
manifest annotate "$list" "$registry/arm:1" --variant v6 --os linux && manifest inspect "$list" && cp out shown
assert_equal "$(jq -r '[.manifests[].platform | "\(.architecture)\(.variant // "")"] | join(" ")' shown)" "amd64 armv6" "the list"
manifest inspect "$list" "$registry/arm:1" && assert_equal "$(jq -S . out)" "$(raw "$registry/arm:1" | jq -S .)" "an image of the list"
manifest push "$list" && assert_equal "$(tail -n 1 out)" "sha256:$(raw "$list" | sha256sum | cut -d' ' -f1)" "the digest"
assert_equal "$(raw "$list")" "$(cat shown)" "what the registry has" && ! grep -E '"PUT /v2/app/blobs' registry.log || fail "a blob was sent"
manifest inspect -v "$list" && assert_equal "$(jq -r '.[1].Descriptor.platform.variant, (.[1].OCIManifest.layers | length)' out | xargs)" "v6 1" "verbose"
manifest create "$other/far:1" "$registry/arm:1" "$registry/amd64:1" && manifest push --purge "$other/far:1"
refused "no such manifest list: $other/far:1" push "$other/far:1" && manifest rm "$list" && manifest inspect "$other/far:1"
MYBUILD_ROOT=$work/elsewhere "$MYBUILD" pull -q --platform linux/arm/v7 "$list" >log 2>&1 || fail "pull of arm"
MYBUILD_ROOT=$work/elsewhere "$MYBUILD" pull -q "$other/far:1" >log 2>&1 || fail "pull from the other registry"
assert_equal "$(raw "$other/far:1" | jq -r .manifests[0].digest)" "$(raw "$list" | jq -r .manifests[0].digest)" "the image in both"
refused "is a manifest list" create x:1 "$list" && refused "not in the registry" create x:1 "$registry/missing:1"
refused "no such manifest list: .*x:1" annotate x:1 "$list" --os linux && refused "no such manifest list" rm x:1
manifest create "$other/near:1" "$other/far:1@$(jq -r .manifests[0].digest shown)" && refused "does not exist in" annotate "$other/near:1" nothing:1
