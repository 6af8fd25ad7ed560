#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ctest: serial
# Independent stages run at the same time: two steps of a second each take less than two. Equal steps run once.
. "$(dirname "$0")/lib.sh"
dockerfile <<'D'
FROM busybox AS one
RUN sleep 1 && echo one >/one
FROM busybox AS two
RUN sleep 1 && echo two >/two
FROM busybox
COPY --from=one /one /
COPY --from=two /two /
D
for attempt in 1 2 3; do # a busy machine gets another chance
  took=$(milliseconds build --no-cache -t image ctx) && [ "$took" -ge 1900 ] || break
done
assert_below "$took" 1900 "milliseconds for two sleeps of one second"
assert_equal "$(run image cat /one /two | tr '\n' ' ')" "one two "
dockerfile same <<'D'
FROM busybox AS one
RUN date +%N >/now && sleep 0.3
FROM busybox AS two
RUN date +%N >/now && sleep 0.3
FROM scratch
COPY --from=one /now /one
COPY --from=two /now /two
D
build_tree same
assert_equal "$(cat out/one)" "$(cat out/two)" "equal steps ran twice"
