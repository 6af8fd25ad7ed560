#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Pushing again: of what is small, and not in the tag's present image, nobody asks whether it is there; what the registry has lost
# meanwhile is sent again.
. "$(dirname "$0")/lib.sh"
start_registry
printf 'FROM busybox\nRUN echo one >/one\nCOPY two /two\n' | dockerfile && echo 2 >ctx/two
asked() { grep -cE '"HEAD /v2/[^"]*/blobs/' registry.log || true; }
sent() { grep -cE '"PUT /v2/[^"]*/blobs/uploads/.* 201' registry.log || true; }
lose() { # the first layer: its repository does not have it any more
  local layer
  layer=$(skopeo inspect --raw --tls-verify=false "docker://$registry/app:1" | jq -r '.layers[0].digest')
  rm -r "registry/docker/registry/v2/repositories/app/_layers/sha256/${layer#*:}"
}
whole() { rm -rf copied && skopeo copy -q --src-tls-verify=false "docker://$registry/app:1" oci:copied:1 || fail "$1"; }

build --push -t "$registry/app:1" ctx
asked_before=$(asked) sent_before=$(sent)
echo changed >ctx/two && build --push -t "$registry/app:1" ctx
assert_equal "$(asked)" $((asked_before + 2)) "questions, for the layers that stayed"
assert_equal "$(sent)" $((sent_before + 2)) "a layer and the config were sent"
lose && echo again >ctx/two && build --push -t "$registry/app:1" ctx
whole "with a new manifest"
lose && build --push -t "$registry/app:1" ctx
whole "with the same manifest"
