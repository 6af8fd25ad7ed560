#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A mistake in the Dockerfile shows file, line, the excerpt and the cause, and the exit code is 1.
. "$(dirname "$0")/lib.sh"

expect_error() { # LINE CAUSE <<DOCKERFILE
  dockerfile
  build_fails ctx
  assert_log "Dockerfile:$1"
  assert_log " $1 \| +>>> "
  assert_log "$2"
  assert_step "RUN echo never" none
}
printf 'FROM busybox\nRUN echo never\nRUNN true\n' | expect_error 3 "unknown instruction: .?RUNN"
printf 'FROM busybox\nCOPY --form=x a b\n' | expect_error 2 "unknown flag: .*form"
printf 'FROM busybox\nCOPY a\n' | expect_error 2 "COPY requires at least two arguments"
printf 'FROM busybox\nENV\n' | expect_error 2 "ENV"
printf 'RUN true\n' | expect_error 1 "no build stage|FROM"
printf 'FROM busybox\nCOPY missing.txt /\n' | expect_error 2 "missing.txt.*not found"
printf 'FROM busybox\nCOPY --from=nobody /x /\n' | expect_error 2 "nobody"

build_fails -f Nofile ctx
assert_log "Nofile"
build_fails no-such-context
assert_log "no-such-context"
printf '' | dockerfile
build_fails ctx
assert_log "empty"
