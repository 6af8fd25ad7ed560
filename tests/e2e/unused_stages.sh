#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Stages that the target does not need are not run; --target chooses another one.
. "$(dirname "$0")/lib.sh"

dockerfile <<'D'
FROM busybox AS unused
RUN exit 1
FROM busybox AS used
RUN echo used >/used
FROM busybox AS other
RUN echo other >/other
FROM busybox
COPY --from=used /used /used
D
build -t image ctx
assert_no_log "exit 1"
assert_no_log "echo other"
run image cat /used >out
assert_file out used

build --target other -t other ctx
run other ls /other >out || fail "the target was not built"
assert_step "COPY --from=used" none
build_fails --target nowhere ctx
assert_log "nowhere"
build_fails --target unused ctx
assert_log "exit code: 1"
