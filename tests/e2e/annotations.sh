#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# --annotation and -o annotation…=: each goes into its document, here and in a registry; what has no place is said.
. "$(dirname "$0")/lib.sh"

printf 'FROM scratch\nARG TARGETARCH\nCOPY file /$TARGETARCH/\n' | dockerfile && echo text >ctx/file
notes=(--annotation org.example.all=everywhere --annotation "manifest[linux/arm64]:arm=only")
start_registry
build "${notes[@]}" --annotation index,index-descriptor:i=1 --platform linux/amd64,linux/arm64 -t "$registry/multi:v1" --push \
  -o "type=oci,dest=multi,tar=false,annotation-manifest-descriptor.d=2" ctx
index=$(curl -fsS -H 'Accept: application/vnd.oci.image.index.v1+json' "http://$registry/v2/multi/manifests/v1")
assert_equal "$(jq -c .annotations <<<"$index")" '{"i":"1"}' "index"
for side in 0/multi 1/multi; do
  digest=$(jq -r ".manifests[${side%/*}].digest" <<<"$index")
  curl -fsS -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://$registry/v2/multi/manifests/$digest" | jq -c .annotations
done >got
assert_file got '{"org.example.all":"everywhere"}
{"arm":"only","org.example.all":"everywhere"}'
assert_equal "$(jq -c '.manifests[0].annotations | del(.["org.opencontainers.image.created"])' multi/index.json | jq -r .i)" 1 "index descriptor"
assert_equal "$(manifest_of multi | jq -c '[.manifests[].annotations]')" '[{"d":"2"},{"d":"2"}]' "manifest descriptors"
build "${notes[@]}" -o type=docker,dest=one.tar ctx && mkdir one && tar -xf one.tar -C one
assert_equal "$(manifest_of one | jq -c .annotations)" '{"org.example.all":"everywhere"}' "docker archive"
build "${notes[@]}" -t local ctx && assert_log "annotations are kept by no output"
build_fails --annotation index:a=b -o type=docker,dest=two.tar ctx && assert_log "an image for one platform has no index"
build_fails "${notes[@]}" --annotation "manifest[linux/s390x]:a=b" --platform linux/amd64,linux/arm64 -o type=oci,dest=x ctx
assert_log "nothing is built for linux/s390x" && [ ! -e two.tar ] && [ ! -e x ] || fail "a refused output was written"
