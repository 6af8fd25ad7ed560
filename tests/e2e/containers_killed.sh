#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# mybuild killed at any moment of run, start and rm: ps -a tells the truth, start finds the files, --rm leaves nothing.
# ctest: timeout=300
. "$(dirname "$0")/lib.sh"

printf 'FROM busybox\nRUN mkdir /v && seq 200 >/v/file\nVOLUME /v\nCMD ["sh"]\n' | dockerfile
build -t image ctx
script='echo x >>/log; wc -l </v/file; sleep 0.02'
rounds=40 && [ -z "${MYBUILD_SOAK:-}" ] || rounds=400
killed() { # a command, killed after some milliseconds
  "$@" >>out 2>&1 & local pid=$!
  sleep "0.0$(printf %02d $((RANDOM % 70)))" && kill -9 $pid 2>/dev/null || true
  wait $pid 2>/dev/null || true
}
for round in $(seq $rounds); do
  killed "$MYBUILD" run --rm image sh -c "$script"
  killed "$MYBUILD" run --name box$((round % 5)) image sh -c "$script"
  killed "$MYBUILD" start -a box$((round * 3 % 5))
  [ $((round % 3)) != 0 ] || killed "$MYBUILD" rm -v box$((round % 5))
done
assert_equal "$("$MYBUILD" ps -q)" "" "what runs when all owners are dead"
for box in $("$MYBUILD" ps -aq); do
  assert_equal "$("$MYBUILD" start -a $box 2>&1)" 200 "a container that was killed, started again"
done
"$MYBUILD" rm -fv $("$MYBUILD" ps -aq) none && "$MYBUILD" volume prune -f
assert_equal "$(find "$MYBUILD_ROOT"/{containers,volumes,trash} -mindepth 1 -not -path '*/.*')" "" "what is left"
