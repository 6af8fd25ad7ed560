#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A second build asks the registry nothing; with --pull it asks, but runs nothing again; a broken layer is refused.
. "$(dirname "$0")/lib.sh"

start_registry
push "$bases/busybox" base:1
printf 'FROM %s/base:1\nRUN echo hello >/hello\n' "$registry" | dockerfile
requests() { grep -c 'http.request.method' registry.log || true; }
build -t image ctx
first=$(requests)
assert_below 0 "$first" "requests of the first build"
build -t image ctx
assert_equal "$(requests)" "$first" "requests after a second build"
assert_step "RUN echo" CACHED
build --pull -t image ctx
assert_below "$first" "$(requests)" "requests with --pull"
assert_step "RUN echo" CACHED

layer=$(manifest_of "$bases/busybox" | jq -r '.layers[0].digest')
find registry -path "*${layer#*:}/data" -exec dd if=/dev/urandom of={} bs=1 seek=5000 count=9 conv=notrunc status=none \;
export MYBUILD_ROOT=$work/fresh
build_fails -t image ctx
assert_log "$layer"
! "$MYBUILD" run --rm --pull never image 2>log || fail "an image on a broken layer runs"
