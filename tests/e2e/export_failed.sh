#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# --export-failed: the outputs get the files of the step that failed, or those before it; the build fails all the same.
. "$(dirname "$0")/lib.sh"
printf 'FROM busybox\nENV A=b\nRUN echo before >/b\nRUN echo half >/made; sleep 9 & kill -9 $!; wait $!\nRUN echo never\n' | dockerfile
build_fails --export-failed -o type=local,dest=out ctx && assert_log "^hint: the outputs have the failed step's files"
assert_equal "$(cat out/b out/made | xargs)" "before half" "local"
build_fails --export-failed -o type=oci,dest=oci,tar=false -o type=tar,dest=t.tar -o type=docker,dest=d.tar -t name ctx
assert_equal "$(config_of oci | jq -r '.config.Env | index("A=b") != null')" true "the step's environment"
assert_equal "$(config_of oci | jq -r '.rootfs.diff_ids | length')" 3 "layers: base, first step, failed step"
assert_equal "$(config_of oci | jq -r '.history[-1].comment')" "this step failed" "history"
skopeo inspect -q oci:oci >/dev/null 2>&1 || command -v skopeo >/dev/null || fail "the layout is not read"
assert_equal "$(tar xOf t.tar made) $(tar tf d.tar | grep -c manifest.json)" "half 1" "tar and docker"
build_fails --export-failed ctx && assert_equal "$("$MYBUILD" images -aq | wc -l) $("$MYBUILD" images -q name | wc -l)" "1 0" "the local store, without a name"
# A failed step is never a hit, even for the same step that would succeed now.
printf 'FROM busybox\nRUN --mount=type=cache,target=/c echo x >>/c/n; echo half >/made; [ $(wc -l </c/n) -gt 1 ]\n' | dockerfile flaky
build_fails --export-failed -o out flaky && build -o out flaky && assert_step 'echo half' DONE
# What is no RUN leaves what was before; a source leaves nothing.
printf 'FROM busybox\nRUN echo before >/b\nADD bad.tar.gz /\n' | dockerfile copy && tar czC /etc passwd | head -c 150 >copy/bad.tar.gz
rm -rf out && build_fails --export-failed -o out copy && assert_file out/b before && assert_log "the files before the failed step"
printf 'FROM busybox\nRUN echo before >/b\nADD --link bad.tar.gz /\n' | dockerfile copy
rm -rf out && build_fails --export-failed -o out copy && assert_file out/b before
printf 'FROM scratch\nADD http://127.0.0.1:1/x /\n' | dockerfile source
rm -rf out && build_fails --export-failed -o out source && [ ! -e out ] || fail "there is something"
# Of several platforms the one that failed, not in a folder of its own.
printf 'FROM --platform=$BUILDPLATFORM busybox\nARG TARGETARCH\nRUN echo $TARGETARCH >/a; [ $TARGETARCH = amd64 ]\n' | dockerfile platforms
build_fails --platform linux/amd64,linux/arm64 --export-failed -o out platforms && assert_file out/a arm64
build_fails --push --export-failed -t 127.0.0.1:1/x ctx && assert_log 'export-failed does not push'
