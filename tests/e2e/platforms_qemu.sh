#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# One build for two processors, one of them emulated: native stages run once, registries and other tools read the index, both
# images run, and the store names one. Without an emulator it is said how to register one.
. "$(dirname "$0")/lib.sh"
. "$support/emulator.sh"
two_platforms_context && printf 'FROM busybox\nCMD ["uname", "-m"]\n' | dockerfile bare
build --platform arm64 -t bare bare
if ! runs_arm64; then
  how='hint: the (step|image) is for linux/arm64.*binfmt_misc .*qemu-user-static.*--install arm64'
  build_fails "${both[@]}" --root none ctx && assert_log "$how"
  ! "$MYBUILD" run --rm bare 2>log || fail "arm64 without an emulator" && assert_log "$how"
fi
emulate && start_registry
assert_equal "$(run bare)" aarch64 "a program for arm64"
build "${both[@]}" -t "$registry/app:1" --push ctx
assert_equal "$(grep -E '^#[0-9]+ \[.*RUN uname -m' log | sort -u | cut -d' ' -f2-3 | sort | xargs)" "[linux/amd64 native [linux/amd64 stage-2 [linux/arm64 stage-2" "steps"
assert_step 'linux/amd64 native 1/2' DONE && assert_step 'linux/amd64->arm64 cross' DONE
assert_equal "$(skopeo inspect --raw --tls-verify=false "docker://$registry/app:1" | jq -r '.manifests[].platform | "\(.os)/\(.architecture)/\(.variant)"' | xargs)" \
  "linux/amd64/null linux/arm64/null" "the index"
for arch in amd64 arm64; do
  skopeo inspect --override-arch $arch --config --tls-verify=false "docker://$registry/app:1" | jq -e ".architecture == \"$arch\"" >log || fail "config"
done
build "${both[@]}" -t "$registry/app:1" --push ctx
assert_equal "$(grep -c ' CACHED$' log) $(grep -cE '^#[0-9]+ \[linux' log)" "9 9" "the same once more"
assert_equal "$(run --platform linux/arm64 "$registry/app:1" | xargs)" "aarch64 x86_64 linux/arm64 arm64 aarch64" "arm64, pulled"
assert_equal "$(run --platform linux/amd64 "$registry/app:1" | xargs)" "x86_64 x86_64 linux/amd64 amd64 x86_64" "amd64, pulled"
build "${both[@]}" --root store -t two ctx && assert_log 'two:latest is the image for linux/amd64 alone'
assert_equal "$("$MYBUILD" images --root store --format '{{.Repository}}' | sort | xargs)" "<none> two" "the local store"
assert_equal "$("$MYBUILD" inspect --root store two --format '{{.Architecture}}')" amd64 "the name stands for what runs here"
