#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A failing RUN ends the build with 1; what it printed is shown once, with the place in the Dockerfile; nothing is named.
. "$(dirname "$0")/lib.sh"

dockerfile <<'D'
FROM busybox AS other
RUN sleep 20
FROM busybox
RUN echo the''-reason >&2; exit 7
COPY --from=other /etc/passwd /
D
assert_below "$(milliseconds build_fails -t image ctx)" 10000 "milliseconds: the first failure stops the other steps"
assert_log "exit code: 7"
assert_log "Dockerfile:4"
assert_log "4 \| +>>> RUN echo"
assert_equal "$(sed -n '/^ > \[/,$p' log | grep -c "the-reason")" 1 "how often the output is shown at the end"
assert_equal "$(grep -c "^Dockerfile:4" log)" 1 "how often the place is named"
assert_step "RUN echo" ERROR
! "$MYBUILD" run --rm image 2>log || fail "a failed build named an image"

# The same on a terminal.
script -qec "$MYBUILD build --progress tty ${busybox[*]} ctx" /dev/null >log </dev/null && fail "exit code 0"
assert_log "the-reason"
assert_log "Dockerfile:4"
