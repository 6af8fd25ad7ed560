#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Images built here are bases for others, scratch is nothing, and a base that changes runs what depends on it again.
. "$(dirname "$0")/lib.sh"

printf 'FROM busybox\nRUN echo one >/base\nENV FROM_BASE=yes\nWORKDIR /base-dir\n' | dockerfile base
build -t base base
printf 'FROM base\nRUN cat /base >/seen; echo $FROM_BASE $(pwd) >>/seen\n' | dockerfile
build -t image ctx
assert_equal "$(run image cat /seen | tr '\n' ' ')" "one yes /base-dir " "on a local image"
build -t image ctx
assert_step "RUN cat" CACHED
sed -i 's/echo one/echo two/' base/Dockerfile
build -t base base
build -t image ctx
assert_step "RUN cat" DONE
assert_equal "$(run image cat /seen | sed q)" two "on the changed image"

printf 'FROM scratch\nCOPY file /\n' | dockerfile empty
echo text >empty/file
build_tree empty
assert_equal "$(find out -mindepth 1)" out/file "files of an image from scratch"
printf 'FROM scratch\nENV A=1\n' | dockerfile empty
build -o type=oci,dest=layout,tar=false empty
assert_equal "$(config_of layout | jq -c '.rootfs.diff_ids // []')" "[]" "layers of an image without files"
