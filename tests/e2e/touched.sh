#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A changed mtime alone is no reason to run anything; a changed mode is.
. "$(dirname "$0")/lib.sh"

dockerfile <<'D'
FROM busybox
COPY dir /dir
RUN ls -l /dir >/list
D
mkdir ctx/dir && echo text >ctx/dir/file && echo other >ctx/dir/second
chmod 644 ctx/dir/file
build -t image ctx
find ctx -exec touch -d "2001-02-03" {} +
build -t image ctx
assert_step "COPY dir" CACHED
assert_step "RUN ls" CACHED
# The same bytes written anew, in a copy of the context elsewhere.
cp -r ctx elsewhere
build -t image elsewhere
assert_step "RUN ls" CACHED

chmod 755 ctx/dir/file
build -t image ctx
assert_step "COPY dir" DONE
assert_step "RUN ls" DONE
run image cat /list | grep -q -- '-rwxr-xr-x.*file' || fail "the mode did not arrive"
