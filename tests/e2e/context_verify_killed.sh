#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout=300
# Builds that are killed while they write down what they know of files leave a whole index, and builds at once lose nothing.
. "$(dirname "$0")/lib.sh"
printf 'FROM busybox\nCOPY . /in\n' | dockerfile && mkdir ctx/d
for i in $(seq 300); do echo "$i" >"ctx/d/$i"; done
sleep 0.3 && build -t image ctx
sums() { (cd "$1" && find . -type f ! -name Dockerfile | LC_ALL=C sort | xargs cat | sha256sum); }
for round in $(seq 12); do
  touch ctx/d/* && echo "$round" >ctx/d/7 && sleep 0.05
  for i in 1 2; do "$MYBUILD" build "${busybox[@]}" ctx >/dev/null 2>&1 & processes+=($!); done
  sleep "0.$(printf %03d $((RANDOM % 300)))" && kill -9 "${processes[@]: -2}" 2>/dev/null || true
  wait "${processes[@]: -2}" 2>/dev/null || true
  build_tree ctx
  assert_equal "$(sums out/in)" "$(sums ctx)" "round $round"
done
assert_equal "$(ls "$MYBUILD_ROOT" | grep stat-index | tr '\n' ' ' | sed 's/stat-index.draft //')" "stat-index stat-index.lock " "files left"
sleep 0.1 && build -t image ctx && size=$(stat -c %s "$MYBUILD_ROOT/stat-index")
[ "$size" -gt 20000 ] || fail "the index has $size bytes"
