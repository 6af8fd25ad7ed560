#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Two images on one base store the base once, and du says so; what only earlier builds made is build cache.
. "$(dirname "$0")/lib.sh"
for app in one two; do
  printf 'FROM busybox\nRUN head -c 200000 /dev/urandom >/own\n# %s\nRUN echo %s >/name\n' $app $app | dockerfile $app
  build --no-cache -t $app $app
done
du() { "$MYBUILD" du -v --format json | jq -r "$1"; }
base=$(du '[.Layers[] | select(.Images == 2)] | .[0].Size')
assert_below 1000000 "$base" "bytes of the base"
for app in one two; do
  assert_equal "$(du ".Images[] | select(.Names[0] == \"docker.io/library/$app:latest\") | .SharedSize")" "$base" "shared by $app"
  assert_equal "$(du ".Images[] | select(.Names[0] == \"docker.io/library/$app:latest\") | .UniqueSize")" 200004 "own bytes of $app"
done
all=$(du .ImagesSize) # what they take on the disk
assert_below $((base + 400007)) "$all" "all images" && assert_below "$all" $((base + 600000)) "all images"
stored=$(command du -sb "$MYBUILD_ROOT/layers" | cut -f1)
assert_below "$stored" $((2 * base)) "bytes on the disk"
"$MYBUILD" rmi two >log
assert_equal "$(($(du .BuildCacheSize) / 20000))" 10 "layers of no image"
assert_equal "$(du '.Images[0].SharedSize')" 0 "shared with nobody"
"$MYBUILD" du >out
assert_equal "$(head -n 1 out | tr -s ' ')" "TYPE TOTAL ACTIVE SIZE RECLAIMABLE" "the summary"
assert_equal "$(grep -c '^Images *1 ' out)" 1 "the line of images"
