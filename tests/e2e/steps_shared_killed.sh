#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Who waits for a step of another build takes it over when that one is killed or fails, and stops when it is asked to.
. "$(dirname "$0")/lib.sh"
set -m # SIGINT is not ignored in a job
start() { "$MYBUILD" build --progress plain "${busybox[@]}" "${@:2}" >"$1.log" 2>&1 & pid=$!; }
until_says() { until grep -qs "$2" "$1.log"; do sleep 0.05; done; }
printf 'FROM busybox\nRUN --mount=type=cache,target=/c echo begins; test -e /c/second || { >/c/second; sleep 100; }; echo made >/f\n' | dockerfile kill
start owner kill && owner=$pid && until_says owner '[0-9] begins'
start waiter -o out kill && waiter=$pid && until_says waiter 'waiting for the same step'
start stopped kill && stopped=$pid && until_says stopped 'waiting for the same step'
kill -INT $stopped && status=0 && { wait $stopped || status=$?; } && assert_equal "$status" 130 "exit code after Ctrl-C while waiting"
assert_equal "$(grep -c CANCELED stopped.log)" 1 "the step of the one that was stopped"
kill -0 $owner $waiter || fail "the others were stopped, too"
kill -9 $owner && { wait $owner 2>/dev/null || true; }
wait $waiter || fail "who waited for a killed build: $(cat waiter.log)"
assert_file out/f made && grep -q '[0-9] begins' waiter.log || fail "it did not run the step: $(cat waiter.log)"
# A failure is nothing that is shared: the next one fails by itself, with its own output.
printf 'FROM busybox\nRUN echo begins; sleep 1; echo goes wrong; false\n' | dockerfile bad
start first bad && first=$pid && until_says first '[0-9] begins' && start second bad && second=$pid && until_says second 'waiting for the same step'
! wait $first || fail "the first one did not fail" && ! wait $second || fail "the second one did not fail"
for log in first second; do grep -q '[0-9] goes wrong' $log.log && grep -q 'exit code: 1' $log.log || fail "$log says: $(cat $log.log)"; done
# With --jobs 1 the only thread does not wait, and --step-timeout does not count it.
printf 'FROM busybox\nRUN sleep 3; echo slow >/f\n' | dockerfile slow && start slow slow && slow=$pid && until_says slow 'RUN sleep 3'
printf 'FROM busybox AS a\nRUN sleep 3; echo slow >/f\nFROM busybox AS b\nRUN echo went on >/g\nFROM busybox\nCOPY --from=a /f /\nCOPY --from=b /g /\n' | dockerfile jobs
start jobs --jobs 1 --step-timeout 2s -o out jobs && jobs=$pid && until_says jobs 'waiting for the same step'
until_says jobs 'DONE.*' && wait $slow && wait $jobs && assert_equal "$(cat out/f out/g | xargs)" "slow went on" "files" || fail "$(cat jobs.log)"
until ! grep -lF "$work" /proc/[0-9]*/mountinfo >/dev/null 2>&1; do sleep 0.05; done
"$MYBUILD" images -q >/dev/null # takes away what the killed build left
