#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout=300
# ./dev bench measures: every phase of W1 has a figure of ours, in the table, the JSON and the drawing; nothing is left behind.
. "$(dirname "$0")/lib.sh"
bench() { python3 "$support/../bench/bench.py" --mybuild "$MYBUILD" --dir "$work/bench" --state-size 1 --quiet 0 "$@" >log 2>&1; }
bench w1 --runs 1 --peers mybuild,kaniko || fail "bench: exit code $?"
for phase in cold warm cold-oci cold-none warm-none; do assert_log "^ +$phase +[0-9.]+ m?s"; done
assert_log "kaniko: not measured, "
assert_equal "$(jq '[.rows[] | select(.peer == "mybuild") | .samples | length] | add' bench/results/latest.json)" 13 "samples"
grep -q "<title>mybuild: " bench/results/latest.svg || fail "no bar in the drawing"
status=0 && bench w99 || status=$?
assert_equal $status 2 "an unknown workload"
! losetup -a | grep -F "$work" || fail "a loop device is left"
