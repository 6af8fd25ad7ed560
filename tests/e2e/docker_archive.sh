#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A docker archive is read by skopeo; archives and layouts serve as base images for another state directory.
. "$(dirname "$0")/lib.sh"

build -t hello:v1 -o type=docker,dest=hello.tar -o type=oci,dest=oci.tar "$checkout/testdata/hello"
skopeo inspect docker-archive:hello.tar >log || fail "skopeo inspect"
assert_equal "$(jq -r '.Labels["org.opencontainers.image.title"]' log)" hello label
tar -xOf hello.tar manifest.json >log
assert_equal "$(jq -r '.[0].RepoTags[0]' log)" hello:v1 RepoTags
skopeo copy -q docker-archive:hello.tar oci:copied:v1 || fail "skopeo copy"

dockerfile <<'D'
FROM base
USER root
RUN hello >/again
D
export MYBUILD_ROOT=$work/fresh
for form in copied:v1 oci.tar hello.tar; do
  build --build-context "base=oci-layout://$work/$form" -t again ctx
  assert_equal "$(run again wc -l /again)" "4 /again" "built on $form"
done
for broken in ctx/Dockerfile oci.tar; do # no archive, and one that ends too early
  ! head -c 5000 "$broken" | "$MYBUILD" load >log 2>&1 && assert_log "standard input" && assert_no_log "stdin.tar|$MYBUILD_ROOT" || fail "load of a broken $broken"
done
build_fails --build-context "base=oci-layout://$work/ctx" ctx
assert_log "$work/ctx"
build_fails --build-context "base=oci-layout://$work/copied:nope" ctx
assert_log "nope"
