#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An image that carries the cache of its own steps, also with clamped times; the local store's image does not.
. "$(dirname "$0")/lib.sh"
start_registry
push "$bases/busybox" base:1
printf 'FROM %s/base:1\nRUN date +%%N >/a\nENV X=1\nRUN cat /a >/b\n' "$registry" | dockerfile
plain=$(image_id ctx)
build -o "type=image,name=$registry/app:1,push=true" --cache-to type=inline ctx
assert_equal "$(image_id ctx)" "$plain" "the image of the local store"
build -t plain --cache-to type=inline ctx && grep -q "the inline cache is in no image" log || fail "no warning: $(cat log)"
config() { skopeo inspect --config --raw --tls-verify=false "docker://$registry/app:$1"; }
config 1 | jq -e '."mybuild.cache.v1".records | length == 2' >/dev/null || fail "there is no cache in the config"
export SOURCE_DATE_EPOCH=1700000000
build -o "type=registry,name=$registry/app:2,rewrite-timestamp=true" --build-arg BUILDKIT_INLINE_CACHE=1 ctx
a=$(config 2 | jq -r '.rootfs.diff_ids[]')
for tag in 1 2; do
  export MYBUILD_ROOT=$work/b$tag
  build -o "type=registry,name=$registry/app:again$tag,rewrite-timestamp=true" --cache-from "$registry/app:$tag" ctx
  assert_equal "$(grep CACHED log | sort -u | wc -l)" 2 "cached steps from app:$tag"
  assert_equal "$(config again$tag | jq -r '.rootfs.diff_ids[]')" "$a" "layers from app:$tag"
done
