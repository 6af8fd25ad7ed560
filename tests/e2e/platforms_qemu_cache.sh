#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What was built for two processors is found by machines that have nothing, in a registry, a folder or the image itself: no step
# runs, no emulator is needed, and the index is the same to the byte.
. "$(dirname "$0")/lib.sh"
. "$support/emulator.sh"
two_platforms_context && start_registry
plain=$MYBUILD && emulate
caches=(--cache-to "type=registry,ref=$registry/cache:1,mode=max" --cache-to type=local,dest=folder,mode=max)
build "${both[@]}" "${caches[@]}" --push -t "$registry/app:1" ctx
build "${both[@]}" --cache-to type=inline --push -t "$registry/app:inline" ctx
digest() { skopeo inspect --raw --tls-verify=false "docker://$registry/app:$1" | sha256sum; }
found() { grep ' CACHED$' log | sort -u | wc -l; }
MYBUILD=$plain # nothing that follows runs a program
for from in "type=registry,ref=$registry/cache:1" type=local,src=folder; do
  export MYBUILD_ROOT=$work/${from%%,*}
  build "${both[@]}" --cache-from "$from" --push -t "$registry/app:2" ctx
  assert_equal "$(found)" 9 "steps found in $from"
  assert_equal "$(digest 2)" "$(digest 1)" "the index of another machine, $from"
done
build "${both[@]}" --root inline --cache-from "type=registry,ref=$registry/app:inline" -o type=cacheonly ctx
assert_step 'linux/arm64 .*RUN uname' CACHED && assert_step 'linux/amd64 stage.*RUN uname' CACHED
# One platform of the two is found without the other.
build --platform linux/arm64 --root one --cache-from type=local,src=folder -o type=oci,dest=arm64,tar=false ctx
assert_equal "$(config_of arm64 | jq -r .architecture) $(found)" "arm64 5" "one platform"
