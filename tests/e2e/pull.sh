#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Anonymous pull over plain HTTP from localhost: an index, layers as gzip, zstd and plain tar, by tag and by digest.
. "$(dirname "$0")/lib.sh"

start_registry
for compression in gzip zstd none; do
  "$support/oci_layout.sh" $compression "$bases/busybox-rootfs" $compression amd64 arm64
  push $compression "base/$compression:1"
  rm -rf "$MYBUILD_ROOT"
  printf 'FROM %s/base/%s:1\nRUN echo %s >/how\n' "$registry" $compression $compression | dockerfile
  build -t image ctx
  assert_equal "$(run image cat /how)" $compression "the image"
done
digest=$(skopeo inspect --raw --tls-verify=false "docker://$registry/base/zstd:1" | sha256sum | cut -d' ' -f1)
printf 'FROM %s/base/zstd@sha256:%s\nRUN test -x /bin/sh\n' "$registry" "$digest" | dockerfile
build ctx

printf 'FROM %s/base/missing:1\nRUN true\n' "$registry" | dockerfile
build_fails ctx
assert_log "base/missing:1"
assert_log "Dockerfile:1"
printf 'FROM localhost:1/base\nRUN true\n' | dockerfile
build_fails ctx
assert_log "localhost:1"
