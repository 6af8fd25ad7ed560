#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# --step-timeout ends a command that runs too long, names it, and leaves the others alone.
. "$(dirname "$0")/lib.sh"
dockerfile <<'EOF'
FROM busybox
RUN echo quick
RUN sleep 1000 & sleep 999
EOF
took=$(milliseconds build_fails --step-timeout 1500ms ctx)
assert_below "$took" 20000 "milliseconds until the step was stopped"
assert_step "RUN echo quick" DONE
assert_step "RUN sleep" ERROR
assert_log 'the step ran longer than 1.5 s, and was stopped'
assert_log 'Dockerfile:3'
! pgrep -f 'sleep 1000' >/dev/null || fail "a process of the step is left"
! "$MYBUILD" build --step-timeout soon ctx >log 2>&1 || fail "soon is no time"
assert_log 'invalid argument "soon" for "--step-timeout"'
build --step-timeout 1m --target base - <<<$'FROM busybox AS base\nRUN sleep 0.1'
# What it left is evidence; the wait for a cache mount that another build holds is no time of its own.
build_fails --step-timeout 1500ms --export-failed -o out - <<<$'FROM busybox\nRUN echo half >/h; sleep 99' && assert_file out/h half
"$MYBUILD" build -q "${busybox[@]}" - <<<$'FROM busybox\nRUN --mount=type=cache,target=/c,sharing=locked sleep 4' &
sleep 1 && build --step-timeout 2s - <<<$'FROM busybox\nRUN --mount=type=cache,target=/c,sharing=locked echo mine' && wait
