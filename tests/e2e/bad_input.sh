#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What is no Dockerfile, or an absurd one, gets one clear error in a moment, exit code 1, and leaves nothing behind.
. "$(dirname "$0")/lib.sh"

refused() { # CAUSE [ARG…]: of the context ctx, whose Dockerfile is stdin where it is not there yet
  local start=$SECONDS
  [ -e ctx/Dockerfile ] || dockerfile
  build_fails "${@:2}" ctx
  assert_log "$1"
  assert_equal "$(grep -c '^ERROR' log)" 1 "number of errors"
  assert_below "$(stat -c %s log)" 10000 "size of the output"
  assert_below $((SECONDS - start)) 10 "seconds until the error"
  rm -rf ctx/Dockerfile
}
lines() { { yes "$2" || true; } 2>/dev/null | head -n "$1"; }
head -c 300000 "$MYBUILD" | refused "NUL byte in line 1"
head -c 300000 /dev/urandom | tr -d '\0' | refused "unknown instruction|greater than max|one or three"
printf 'FROM busybox\nLABEL a=b\0c\n' | refused "NUL byte in line 2"
(echo FROM busybox && head -c 65600 /dev/zero | tr '\0' x) | refused "line greater than max allowed size of 65535"
(echo FROM busybox && lines 100000 'LABEL a=b' && echo NOPE) | refused "Dockerfile:100002"
(lines 100000 'FROM scratch' && echo NOPE) | refused "unknown instruction: NOPE"
(echo 'FROM busybox' && echo 'RUN true \' && lines 100000 '  && true \' && echo 'x <<EOF') | refused "unterminated heredoc"
printf 'FROM busybox AS a\nCOPY --from=b / /\nFROM busybox AS b\nCOPY --from=a / /\n' | refused "circular dependency detected on stage: a"
printf 'FROM busybox\nCOPY --from=0 / /\n' | refused "circular dependency detected on stage: stage-0"
printf 'FROM busybox\nENV A=%s\n' "$(lines 12000 '${A:-' | tr -d '\n')" | refused "nested too deeply"
mkdir -p ctx/Dockerfile && refused "Dockerfile.*directory|Dockerfile.*regular file"
mkfifo ctx/Dockerfile && refused "Dockerfile.*regular file"
ln -s /dev/zero ctx/Dockerfile && refused "Dockerfile.*regular file"
