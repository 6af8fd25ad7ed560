#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A container's streams are never files of the host: reopened through /proc they neither truncate a log nor write to the input.
. "$(dirname "$0")/lib.sh"

dockerfile <<'D'
FROM busybox
D
build -t image ctx
seq 5 >lines
run image sh -c 'echo x >/dev/stdout; echo y >/dev/stderr' >>lines 2>>lines
assert_equal "$(sort lines | tr '\n' ' ')" "1 2 3 4 5 x y " "a log that is appended to"
echo secret >input
run -i image sh -c 'echo z >/proc/self/fd/0; cat' <input >got 2>/dev/null || true
assert_equal "$(cat input)" secret "the file given as input"
head -c 20000000 /dev/zero | tr '\0' a >big
run -i image cat <big >copy
cmp big copy || fail "a file through cat is another one"
assert_equal "$(run -i image cat <big | sha256sum)" "$(sha256sum <big)" "a file through cat into a pipe"
