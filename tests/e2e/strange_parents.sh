#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a parent leaves behind is no reason to fail: ignored signals, closed streams, a umask that takes everything.
. "$(dirname "$0")/lib.sh"

dockerfile <<'D'
FROM busybox
COPY --chmod=640 file /file
RUN echo built >/built
D
echo text >ctx/file
(trap '' CHLD PIPE && build --no-cache -t image ctx) || exit 1
(trap '' CHLD && assert_equal "$(run image cat /built)" built) || exit 1
"$MYBUILD" build --no-cache -t image "${busybox[@]}" ctx <&- >&- 2>&- || fail "without streams: exit code $?"
(umask 0777 && build --no-cache -t image ctx) || exit 1
assert_equal "$(run image stat -c %a /file /built | paste -sd,)" 640,644 "modes"
