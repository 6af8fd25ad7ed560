#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An image pushed from one state directory runs on an empty other one; a second build and run ask the registry nothing.
. "$(dirname "$0")/lib.sh"
start_registry
push "$bases/busybox" base:1
printf 'FROM %s/base:1\nRUN date >/built && chown 7:7 /built\nUSER 7\nCMD ["sh", "-c", "id -u; cat /built"]\n' "$registry" | dockerfile
build -t "$registry/app:1" ctx
run "$registry/app:1" >first || fail "the first run"
"$MYBUILD" push "$registry/app:1" >log 2>&1 || fail "push"
requests() { grep 'http.request.method' registry.log | grep -vc 'method=HEAD' || true; } # what a tag is now is asked by HEAD
before=$(requests)
build -t "$registry/app:1" ctx
assert_step "RUN date" CACHED
run "$registry/app:1" >second
assert_file second "$(cat first)"
assert_equal "$(requests)" "$before" "requests of a second build and a second run"

id=$("$MYBUILD" inspect -f '{{.Id}}' "$registry/app:1")
export MYBUILD_ROOT=$work/elsewhere
"$MYBUILD" pull "$registry/app:1" >log 2>&1 || fail "pull"
assert_equal "$("$MYBUILD" inspect -f '{{.Id}}' "$registry/app:1")" "$id" "the image id elsewhere"
before=$(requests)
run "$registry/app:1" >elsewhere.out
assert_file elsewhere.out "$(cat first)"
printf 'FROM %s/app:1\nRUN cp /built /tmp/again\n' "$registry" | dockerfile next
build -t next next
assert_equal "$(requests)" "$before" "requests of a run and a build on the pulled image"
"$MYBUILD" push "$registry/app:1" >out 2>log && grep -q "$("$MYBUILD" inspect -f '{{index .RepoDigests 0}}' "$registry/app:1" | cut -d@ -f2)" out ||
  fail "a pulled image is pushed with another digest"
