#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The output of a step that fails alone stands last in the plain form anyway, and is not repeated.
. "$(dirname "$0")/lib.sh"

dockerfile <<'D'
FROM busybox
RUN echo the''-reason >&2; exit 7
D
build_fails ctx
assert_equal "$(grep -c "the-reason" log)" 1 "how often a lone step's output is shown"
assert_log "^Dockerfile:2"
