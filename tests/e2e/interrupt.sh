#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Ctrl-C stops a build quickly and leaves nothing behind: no mount, process, cgroup or draft. So does SIGTERM.
. "$(dirname "$0")/lib.sh"

dockerfile <<'D'
FROM busybox AS one
RUN (sleep 60.125; echo never) & sleep 60.25
FROM busybox
RUN head -c 10000000 /dev/zero >/big; sleep 60.5
COPY --from=one /etc/passwd /
D
set -m # a job is a process group of its own, and SIGINT is not ignored in it
stop_with() { # SIGNAL EXIT_CODE
  local status=0 start
  "$MYBUILD" build --progress plain "${busybox[@]}" -o type=oci,dest=image.tar ctx >log 2>&1 &
  sleep 1
  start=${EPOCHREALTIME/./}
  kill "-$1" -- "-$!"
  wait $! || status=$?
  assert_below $(((${EPOCHREALTIME/./} - start) / 1000)) 10000 "milliseconds until it stopped"
  assert_equal "$(ls | tr '\n' ' ')" "ctx log root " "half an image"
  ! pgrep -af "sleep 60\.(125|25|5)" || fail "a step is still running"
  assert_nothing_left
  assert_equal $status "$2" "exit code after SIG$1"
}
stop_with INT 130
stop_with TERM 143
