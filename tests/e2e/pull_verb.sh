#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# pull: by tag and digest, for a platform; docker's last lines; the same again downloads nothing; what is broken is refused.
. "$(dirname "$0")/lib.sh"
start_registry
"$support/oci_layout.sh" both "$bases/busybox-rootfs" zstd amd64 arm64
push both base:1
push "$bases/busybox" docker:1 && skopeo copy -q -f v2s2 --src-tls-verify=false --dest-tls-verify=false "docker://$registry/docker:1" "docker://$registry/docker:2"
requests() { grep -cE "\"GET /v2/$1" registry.log || true; }
index=sha256:$(skopeo inspect --raw --tls-verify=false "docker://$registry/base:1" | sha256sum | cut -d' ' -f1)
"$MYBUILD" pull "$registry/base:1" >out 2>log || fail "pull"
assert_file out "$(printf 'Digest: %s\nStatus: Downloaded newer image for %s\n%s' "$index" "$registry/base:1" "$registry/base:1")"
blobs=$(requests base/blobs/)
assert_equal "$(run "$registry/base:1" echo runs)" runs "the pulled image"
"$MYBUILD" pull "$registry/base:1" >out 2>log && grep -q "Image is up to date" out || fail "pull again"
assert_equal "$(requests base/blobs/)" "$blobs" "blobs fetched by run and a second pull"
"$MYBUILD" pull --platform linux/arm64 "$registry/base:1" >out 2>log && grep -q "Downloaded newer" out || fail "pull for arm64"
assert_equal "$("$MYBUILD" inspect -f '{{.Architecture}}' "$registry/base:1")" arm64 architecture
assert_equal "$("$MYBUILD" pull -q "$registry/docker:2")" "$registry/docker:2" "pull -q of docker's types"

"$MYBUILD" pull "$registry/base@$index" >out 2>log && assert_equal "$(run "$registry/base@$index" echo runs)" runs "by digest"
assert_equal "$("$MYBUILD" images --digests --format '{{.Repository}} {{.Digest}}' | grep -c "^$registry/base $index")" 2 "rows of both platforms"
layer=$(manifest_of "$bases/busybox" | jq -r '.layers[0].digest')
find registry -path "*${layer#*:}/data" -exec sh -c 'tail -c 500 "$1" >x && truncate -s -500 "$1" && tac -rs . x >>"$1"' - {} \;
export MYBUILD_ROOT=$work/fresh
for name in docker:1 missing:1 base@sha256:"$(printf %064d 0)"; do
  ! "$MYBUILD" pull "$registry/$name" >out 2>log || fail "pull of $name works"
  grep -qE "$layer|not in the registry" log || fail "the reason for $name"
done
assert_equal "$("$MYBUILD" images -q)" "" "images after failed pulls"
