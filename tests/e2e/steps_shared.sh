#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds at the same time on one state directory run each step once: what one runs, the others wait for and find.
. "$(dirname "$0")/lib.sh"
# Each run of a step leaves a line in a cache mount.
step() { echo "RUN --mount=type=cache,target=/c,id=runs echo $1 >>/c/runs; sleep 0.4; ${2:-true}"; }
runs() { "$MYBUILD" cache-mount export runs -o runs.tar 2>log && tar xOf runs.tar 0/0/runs | sort | uniq -c | awk '{ print $2 "=" $1 }' | xargs; }
start() { "$MYBUILD" build --progress plain "${busybox[@]}" "${@:2}" >"$1.log" 2>&1 & pids+=($!); }
all_end() { for pid in "${pids[@]}"; do wait "$pid" || fail "a build failed: $(cat ./*.log)"; done && pids=(); }
pids=()
{ echo FROM busybox; step first; step second; } | dockerfile equal
start one -t one equal && start two -t two equal && all_end
assert_equal "$(runs)" "first=1 second=1" "two equal builds"
grep -q 'waiting for the same step' one.log two.log || fail "neither says that it waits"
assert_equal "$("$MYBUILD" inspect one --format '{{.Id}}')" "$("$MYBUILD" inspect two --format '{{.Id}}')" "two images of one build"
assert_equal "$(cat one.log two.log | grep -c ' CACHED$')" 2 "steps that were found after waiting"
# Some equal, some overlapping; stages of one build that are equal run once, too.
for i in 1 2 3; do { echo FROM busybox AS base; step base; step middle; echo FROM base; step "own$i"; echo FROM base; step "own$i"; step twin; echo 'COPY --from=1 /etc/passwd /p'; } | dockerfile "over$i"; done
for i in 1 2 3 1 2 3 1 2 3 1; do start "over$i-$RANDOM" "over$i"; done && all_end
assert_equal "$(runs)" "base=1 first=1 middle=1 own1=1 own2=1 own3=1 second=1 twin=1" "ten builds" # what stands below twin is equal, however it came about
"$MYBUILD" explain >log && assert_log 'another build, or another stage of this one, ran it at the same time'
# One that must run waits for nobody, and nobody for it.
start plain -t plain --no-cache equal && start forced -t forced --no-cache equal && all_end
assert_equal "$(runs | grep -o 'first=[0-9]*')" first=3 "--no-cache"
! grep -q 'waiting for the same' plain.log forced.log || fail "--no-cache waits"
