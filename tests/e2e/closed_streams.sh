#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Started with closed standard streams, nothing of ours takes their numbers: no descriptor of the host reaches a container.
. "$(dirname "$0")/lib.sh"

dockerfile <<'D'
FROM busybox
RUN true
CMD for n in 0 1 2; do readlink /proc/1/fd/$n; done | grep ^/ | grep -v ^/dev/null && exit 9; exit 0
D
"$MYBUILD" build -t image "${busybox[@]}" ctx <&- >&- 2>&- || fail "build: exit code $?"
"$MYBUILD" run -i --rm image <&- >&- 2>&- || fail "a closed stream is a file of the host's in the container"
"$MYBUILD" run --rm image 2>&- || fail "a closed stderr is a file of the host's in the container"
