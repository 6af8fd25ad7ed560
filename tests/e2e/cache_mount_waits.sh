#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Locked cache mounts: steps of two builds one after the other, whoever dies; a waiting step holds back nobody but itself.
. "$(dirname "$0")/lib.sh"
hold=("$MYBUILD" build --no-cache --progress plain "${busybox[@]}") # no function: in the background $! would be a shell
step() { printf 'FROM busybox\nRUN --mount=type=cache,target=/c,id=a,sharing=locked %s\n' "$2" | dockerfile "$1"; }
until_says() { until grep -q "$2" "$1"; do sleep 0.05; done; }
step first 'mkdir /c/busy && echo holding && sleep 1 && rmdir /c/busy'
"${hold[@]}" first >first.log 2>&1 & first=$!
until_says first.log '[0-9] holding'
"${hold[@]}" first >second.log 2>&1 || fail "two steps at once: $(cat second.log)"
wait $first && grep -q 'waiting for the cache mount "a"' second.log || fail "the first one, or nothing was said: $(cat first.log)"
# One in use is never removed or replaced; an export waits for it.
step long 'rm -rf /c/busy; echo holding; sleep 100'
"${hold[@]}" long >long.log 2>&1 & long=$!
until_says long.log '[0-9] holding'
assert_equal "$("$MYBUILD" cache-mount ls --format '{{.InUse}}')" yes "in use"
! "$MYBUILD" cache-mount rm a 2>log || fail "removed" && assert_log 'cache mount "a" .* is in use by a running step'
# With --jobs 1 the step that needs no cache runs while another waits, and a killed holder lets the next one in.
printf 'FROM busybox AS waits\nRUN --mount=type=cache,target=/c,id=a,sharing=locked echo got it >/o\nFROM busybox AS free\nRUN echo went on | tee /o\nFROM busybox\nCOPY --from=waits /o /1\nCOPY --from=free /o /2\n' | dockerfile jobs
"$MYBUILD" build --jobs 1 --progress plain "${busybox[@]}" -o out jobs >jobs.log 2>&1 & jobs=$!
until_says jobs.log 'waiting for the cache mount' && until_says jobs.log '[0-9] went on'
"$MYBUILD" cache-mount export a -o a.tar >export.log 2>&1 & export=$!
ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }
before=$(ticks $jobs) && sleep 1 && assert_below $(($(ticks $jobs) - before)) 3 "hundredths of a second of CPU while waiting"
kill -9 $long && { wait $long 2>/dev/null || true; }
wait $jobs || fail "the waiting build: $(cat jobs.log)"; assert_equal "$(cat out/1 out/2 | xargs)" "got it went on" "both steps"
wait $export && tar tf a.tar | grep '^0/0/$' >/dev/null || fail "export: $(cat export.log)"
until ! grep -lF "$work" /proc/[0-9]*/mountinfo >/dev/null 2>&1; do sleep 0.05; done
"$MYBUILD" images -q >/dev/null # takes away what the killed build left
