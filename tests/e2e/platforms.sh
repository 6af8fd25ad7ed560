#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An index gives the image of the platform that is asked for; a platform that is not there is named.
. "$(dirname "$0")/lib.sh"

"$support/oci_layout.sh" base "$bases/busybox-rootfs" gzip amd64 arm64
printf 'FROM base\nARG TARGETPLATFORM\nARG BUILDPLATFORM\nCOPY file /\nENV WHERE=$TARGETPLATFORM\n' | dockerfile
echo text >ctx/file
for platform in linux/arm64 linux/amd64; do
  build --build-context "base=oci-layout://$work/base" --platform $platform -o type=oci,dest=layout,tar=false ctx
  assert_equal "$(config_of layout | jq -r '"\(.os)/\(.architecture)"')" $platform "platform of the config"
  config_of layout | jq -e --arg w "WHERE=$platform" 'any(.config.Env[]; . == $w)' >/dev/null || fail "TARGETPLATFORM"
  rm -rf layout
done
both=(--build-context "base=oci-layout://$work/base" --platform linux/amd64,linux/arm64)
build_fails "${both[@]}" -t two -o type=docker,dest=two.tar ctx
assert_log "a docker archive holds one platform" && assert_log "hint: use type=oci" && assert_step COPY none
build "${both[@]}" -t two -o type=oci,dest=two.tar ctx
assert_equal "$(skopeo inspect --raw oci-archive:two.tar | jq '.manifests | length')" 2 "what the hint says"
build_fails --build-context "base=oci-layout://$work/base" --platform linux/s390x ctx
assert_log "linux/s390x"
! "$MYBUILD" build --platform nonsense/x/y/z ctx >log 2>&1 || fail "a platform that cannot be read was taken"
assert_log "nonsense/x/y/z"
# A step for another processor, without an emulator: what is needed is said. (0xFEED is nobody's machine.)
cp -a "$bases/busybox-rootfs" foreign && printf '\xed\xfe' | dd of=foreign/bin/busybox bs=1 seek=18 conv=notrunc status=none
"$support/oci_layout.sh" other "$work/foreign" gzip arm64
printf 'FROM base\nRUN true\n' | dockerfile
build_fails --build-context "base=oci-layout://$work/other" --platform linux/arm64 ctx
assert_log "exec format error" && assert_log "the step is for linux/arm64.*binfmt_misc"
