#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# mybuild run ends as its program ends: the exit code, 128 + signal, and 125, 126, 127 as docker.
. "$(dirname "$0")/lib.sh"

printf 'FROM busybox\nRUN echo text >/not-a-program\nCMD ["sh", "-c", "exit 3"]\n' | dockerfile
build -t image ctx
expect_code() { # CODE ARGS…
  local status=0
  "$MYBUILD" run --rm "${@:2}" >log 2>&1 </dev/null || status=$?
  assert_equal $status "$1" "exit code of: run ${*:2}"
}
expect_code 3 image
expect_code 0 image true
expect_code 1 image false
expect_code 77 image sh -c 'exit 77'
expect_code 143 image sh -c 'sh -c "kill -TERM \$\$"; exit $?'
expect_code 127 image no-such-program
assert_log "no-such-program"
expect_code 126 image /not-a-program
assert_log "not-a-program"
expect_code 125 --pull never no-such-image
assert_log "no-such-image"
expect_code 125 --no-such-flag image
assert_log "no-such-flag"
