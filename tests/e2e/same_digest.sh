#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The same inputs give the same bytes: on another state directory, from another place, on one core or several.
. "$(dirname "$0")/lib.sh"

printf 'FROM busybox\nCOPY --chmod=640 data /data/\nENV A=1\nCOPY data/7 /seven\n' | dockerfile
mkdir ctx/data
for i in $(seq 30); do seq "$i" 20000 >"ctx/data/$i"; done
find ctx -exec touch -d "2020-01-02 03:04:05" {} +
cp -a ctx elsewhere
export SOURCE_DATE_EPOCH=1600000000
for compression in gzip zstd uncompressed; do
  build -o "type=oci,dest=one,tar=false,compression=$compression" ctx
  rm -rf "$MYBUILD_ROOT"
  taskset -c 0 "$MYBUILD" build "${busybox[@]}" -o "type=oci,dest=two,tar=false,compression=$compression" elsewhere >log 2>&1 ||
    fail "the second build"
  assert_equal "$(oci_digest two)" "$(oci_digest one)" "$compression: digest of the image"
  rm -rf one two
done
# A RUN that leaves fixed times; the epoch stands in the config.
printf 'FROM busybox\nRUN echo x >/x && touch -d "2001-01-01 00:00:00" /x /\n' | dockerfile
build -o type=oci,dest=one,tar=false ctx
rm -rf "$MYBUILD_ROOT"
build -o type=oci,dest=two,tar=false ctx
assert_equal "$(oci_digest two)" "$(oci_digest one)" "digest of an image with a RUN"
assert_equal "$(config_of one | jq -r .created)" "2020-09-13T12:26:40Z" created
