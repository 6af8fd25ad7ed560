#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout=600
# What was built and pushed on one state directory runs on an empty other one; the base, which the registry has, is not sent.
. "$(dirname "$0")/lib.sh"
. "$support/seeds.sh"

start_registry
base_of_registry ubuntu:18.04
seed python
image=$registry/seeds/python:1
build -t "$image" "${from_registry[@]}" ctx/python
"$MYBUILD" push "$image" >log 2>&1 || fail "push"
for layer in $(manifest_of "$bases/seeds/ubuntu" | jq -r '.layers[].digest'); do
  ! grep "request.method=PUT.*/seeds/python/.*${layer#sha256:}" registry.log || fail "$layer was sent"
done
run "$image" >here
export MYBUILD_ROOT=$work/other
"$MYBUILD" pull "$image" >log 2>&1 || fail "pull"
asked=$(requests)
run "$image" >there
assert_equal "$(grep -v started there)" "$(grep -v started here)" "what the program prints"
assert_equal "$(requests)" "$asked" "requests of a run"
