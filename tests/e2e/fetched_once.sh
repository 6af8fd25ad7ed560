#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds and pulls at the same time fetch and unpack each layer once; what they need of a URL is sent once.
. "$(dirname "$0")/lib.sh"
command -v docker-registry >/dev/null || skip "docker-registry is not installed"
start_registry
push "$bases/busybox" base
printf 'FROM %s/base\nRUN echo own >/own\n' "$registry" | dockerfile
for i in 1 2 3; do "$MYBUILD" build --progress plain -t "image$i" ctx >"build$i.log" 2>&1 & pids[i]=$!; done
for i in 4 5 6; do "$MYBUILD" pull "$registry/base" >"pull$i.log" 2>&1 & pids[i]=$!; done
for i in 1 2 3 4 5 6; do wait "${pids[i]}" || fail "$i: $(cat ./*.log)"; done
layer=$(manifest_of "$bases/busybox" | jq -r '.layers[0].digest')
assert_equal "$(grep -c "GET /v2/base/blobs/$layer .* 200 " registry.log)" 1 "requests for the layer: $(grep "$layer" registry.log)"
assert_equal "$(find "$MYBUILD_ROOT/layers" -mindepth 1 -maxdepth 1 | wc -l)" 2 "layers in the store"
run image1 cat /own >out && assert_file out own
