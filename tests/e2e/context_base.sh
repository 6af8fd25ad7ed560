#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A directory as a base: its files are the first layer, and only a change of them makes that again.
. "$(dirname "$0")/lib.sh"

mkdir -p files/bin && cp "$bases/busybox-rootfs/bin/busybox" files/bin/sh && echo one >files/one && echo no >files/ignored
echo ignored >files/.dockerignore
dockerfile <<'D'
FROM files AS base
FROM base
COPY --link two /two
RUN read a <one; read b <two; echo "$a $b" >/both
D
echo two >ctx/two
build_tree --build-context files=files ctx
assert_file out/both "one two"
[ -e out/one ] && [ ! -e out/ignored ] || fail "the files of the directory"
touch files/one && build --build-context files=files -t image ctx && assert_step RUN CACHED
echo 1 >files/one && build_tree --build-context files=files ctx
assert_step "COPY --link" CACHED && assert_file out/both "1 two"
build_tree --build-context files=files --target base ctx && assert_file out/one 1
