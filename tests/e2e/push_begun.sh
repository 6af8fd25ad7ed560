#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Pushing again: what the tag names is asked, and uploads for a small layer and the config are begun, while the last step is
# done. A build that fails then leaves none of them there.
. "$(dirname "$0")/lib.sh"
start_registry
printf 'FROM busybox\nCOPY two /two\n' | dockerfile && echo 2 >ctx/two
requests() { grep -cE "\"$1" registry.log || true; }
# What docker-registry writes of its own behind the session it has just ended has neither.
no_sessions() { ! find registry -path "*_uploads/*" \( -name startedat -o -name data \) | grep . || fail "an upload is left: $1"; }
build --push -t "$registry/app:1" ctx
asked=$(requests "HEAD /v2/app/manifests/") begun=$(requests "POST /v2/app/blobs/uploads/")
echo changed >ctx/two && build --push -t "$registry/app:1" ctx
assert_equal "$(requests "HEAD /v2/app/manifests/")" $((asked + 1)) "questions for the tag"
assert_equal "$(requests "POST /v2/app/blobs/uploads/")" $((begun + 2)) "uploads"
assert_equal "$(requests "DELETE")" 0 "uploads that were not used" && no_sessions "of a push"

echo again >ctx/two && mkdir -p out/two/in-the-way && before=$(requests "POST /v2/app/blobs/uploads/")
build_fails -o type=local,dest=out -o "type=registry,name=$registry/app:1" ctx
assert_equal "$(requests "POST /v2/app/blobs/uploads/")" $((before + 2)) "uploads that were begun"
assert_equal "$(requests "DELETE /v2/app/blobs/uploads/")" 2 "uploads that were forgotten"
no_sessions "of a build that failed"
build --push -t "$registry/app:1" ctx && rm -rf copied && skopeo copy -q --src-tls-verify=false "docker://$registry/app:1" oci:copied:1
