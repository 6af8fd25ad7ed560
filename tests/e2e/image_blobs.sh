#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# type=image with compression=: the build makes the blobs, a push of the name sends them as they are. The form that was said last counts.
. "$(dirname "$0")/lib.sh"
start_registry
push "$bases/busybox" base:1
printf 'FROM %s/base:1\nRUN seq 100000 >/numbers\nCOPY one /one\n' "$registry" | dockerfile && echo 1 >ctx/one
raw() { skopeo inspect --raw --tls-verify=false "docker://$registry/$1"; }
blobs() { find "$MYBUILD_ROOT/blobs" -type f -size +3 | wc -l; } # of layers
sends() { "$MYBUILD" push -q "$registry/$1" 2>log && assert_equal "$(raw "$1" | sha256sum)" "$(jq -r '.["containerimage.digest"]' "$2" | cut -d: -f2)  -" "$3"; }
build -t "$registry/app:1" ctx && before=$(blobs)
for compression in zstd gzip uncompressed; do
  build -t "$registry/app:1" --metadata-file $compression -o "type=image,compression=$compression,annotation.who=me" --cache-to type=inline ctx
  made=$(blobs) && [ "$made" -gt "$before" ] || fail "no blob was made: $made"
  sends app:1 $compression "what was pushed as $compression" && assert_equal "$(blobs)" "$made" "blobs after the push"
  build -o "type=registry,name=$registry/direct:1,compression=$compression,annotation.who=me" ctx
  assert_equal "$(raw app:1)" "$(raw direct:1)" "the same without the store"
  "$MYBUILD" prune -f >/dev/null 2>&1 && assert_equal "$(blobs)" "$made" "blobs after a prune"
  before=$(blobs)
done
build -t "$registry/zzz:1" --metadata-file other -o type=image,compression=zstd,compression-level=3 ctx
"$MYBUILD" prune -af >/dev/null 2>&1 && [ "$(blobs)" -lt "$made" ] || fail "prune -a removed nothing"
sends zzz:1 other "what was made again" && sends app:1 uncompressed "the first name is not the second one" && assert_file log ""
"$MYBUILD" fsck >log 2>&1 || fail "$(cat log)"
assert_equal "$("$MYBUILD" inspect -f '{{json .RepoDigests}}' "$registry/app:1" | grep -o /app@ | wc -l)" 1 "repo digests of the name"
