#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a build gives does not depend on what else came into the store: its layer, loaded with later times or pulled as zstd before.
. "$(dirname "$0")/lib.sh"
printf 'FROM busybox\nCOPY file /file\n' | dockerfile
echo text >ctx/file && touch -d @1500000000 ctx/file
export SOURCE_DATE_EPOCH=1400000000
outputs() { # NAME: the image with its times clamped, and one as it is
  build -o "type=oci,dest=clamped.$1,rewrite-timestamp=true" -o "type=oci,dest=plain.$1" ctx
}
outputs alone && build -t app ctx && "$MYBUILD" save -o app.tar app 2>log
start_registry && build -o "type=registry,name=$registry/app:zstd,compression=zstd" ctx
for from in "load -i app.tar" "pull $registry/app:zstd"; do
  export MYBUILD_ROOT=$work/${from%% *}
  "$MYBUILD" $from >log 2>&1 || fail "$from"
  outputs first && outputs again
  for image in clamped plain; do
    cmp "$image.alone" "$image.first" && cmp "$image.alone" "$image.again" || fail "$image after $from is not what it is alone"
  done
done
