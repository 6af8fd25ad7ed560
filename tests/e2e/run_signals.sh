#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Signals reach the program of a container, -t gives it a terminal, and a killed runner leaves nothing.
. "$(dirname "$0")/lib.sh"

printf 'FROM busybox\nCMD ["sh"]\n' | dockerfile
build -t image ctx
set -m
send() { # SIGNAL, to a container that reports it and ends with 9
  local status=0 && rm -f out
  "$MYBUILD" run --rm image sh -c "trap 'echo got $1; exit 9' $1; echo ready; while :; do sleep 0.05; done" >out 2>log &
  until grep -qs ready out; do sleep 0.05 && kill -0 $! 2>/dev/null || fail "the container ended early"; done
  kill "-$1" $!
  wait $! || status=$?
  assert_equal "$status $(tail -n 1 out)" "9 got $1" "SIG$1"
}
for signal in TERM INT HUP USR1; do send $signal; done
set +m
send INT # which a shell without job control lets its background jobs ignore
status=0
script -qec "$MYBUILD run --rm -it image sh -c 'tty; exit 5'" /dev/null >out </dev/null || status=$?
assert_equal $status 5 "exit code through a terminal"
grep -q "/dev/pts/\|/dev/console" out || fail "no terminal: $(cat out)"

"$MYBUILD" run --rm image sleep 60.75 &
sleep 0.5
kill -9 $! && { wait $! 2>/dev/null || sleep 0.5; }
! pgrep -af "sleep 60\.75" || fail "the program outlived its runner"
run image true
