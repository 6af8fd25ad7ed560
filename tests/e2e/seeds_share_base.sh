#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout=600
# Two images on one base store the base once, and bases that share a layer store that once.
. "$(dirname "$0")/lib.sh"
. "$support/seeds.sh"

seed python
layers() { ls "$MYBUILD_ROOT/layers"; }
kilobytes() { du -sk "$MYBUILD_ROOT" | cut -f1; }
build -t first "${seed_bases[@]}" ctx/python
base=$(layers) size=$(kilobytes)
printf 'FROM ubuntu:18.04\nCOPY . /other\n' | dockerfile ctx/python
build -t second "${seed_bases[@]}" ctx/python
assert_equal "$(comm -13 <(echo "$base") <(layers) | wc -l)" 1 "layers more with a second image"
assert_below $(($(kilobytes) - size)) 1000 "kilobytes more with a second image"
base=$(layers)
printf 'FROM java:8\nCOPY . /other\n' | dockerfile ctx/python
build -t third "${seed_bases[@]}" ctx/python
assert_equal "$(comm -13 <(echo "$base") <(layers) | wc -l)" 2 "layers more with an image on another base of the same Debian"
"$MYBUILD" du -v --format json >log
jq -e '.Images[] | select(.Names[0] | endswith("second:latest")) | .SharedSize > 100e6 and .UniqueSize < 10000' log >/dev/null ||
  fail "shared and own size of the second image"
jq -e '[.Layers[].DiffID] | length == (unique | length)' log >/dev/null || fail "a layer is counted twice"
