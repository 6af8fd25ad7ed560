#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# type=image with compression=: the build makes the blobs, a push sends them as they are. The form that was said last counts.
. "$(dirname "$0")/lib.sh"
start_registry
push "$bases/busybox" base:1
printf 'FROM %s/base:1\nRUN seq 100000 >/numbers\nCOPY one /one\n' "$registry" | dockerfile && echo 1 >ctx/one
raw() { skopeo inspect --raw --tls-verify=false "docker://$registry/$1"; }
blobs() { find "$MYBUILD_ROOT/blobs" -type f -size +3 | wc -l; } # of layers
digest() { jq -r '.["containerimage.digest"]' metadata; }
build -t "$registry/app:1" ctx && before=$(blobs)
for compression in zstd gzip uncompressed; do
  build -t "$registry/app:1" --metadata-file metadata -o "type=image,compression=$compression,annotation.who=me" ctx
  made=$(blobs) && [ "$made" -gt "$before" ] || fail "no blob was made: $made"
  "$MYBUILD" push -q "$registry/app:1" 2>log && assert_equal "$(blobs)" "$made" "blobs after the push"
  build -o "type=registry,name=$registry/direct:1,compression=$compression,annotation.who=me" ctx
  assert_equal "$(raw app:1)" "$(raw direct:1)" "what was pushed as $compression"
  assert_equal "$(raw app:1 | sha256sum)" "$(digest | cut -d: -f2)  -" "the digest in the metadata file"
  "$MYBUILD" prune -f >/dev/null 2>&1 && assert_equal "$(blobs)" "$made" "blobs after a prune"
  before=$(blobs)
done
"$MYBUILD" fsck >log 2>&1 || fail "$(cat log)"
assert_equal "$("$MYBUILD" inspect -f '{{json .RepoDigests}}' "$registry/app:1" | grep -o /app@ | wc -l)" 1 "repo digests of the name"
"$MYBUILD" rmi "$registry/app:1" >/dev/null && "$MYBUILD" prune -af >/dev/null 2>&1
assert_equal "$(blobs)" 0 "blobs of nothing"
