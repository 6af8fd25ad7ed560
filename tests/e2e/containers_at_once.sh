#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Three containers of one image at once see nothing of each other; one is stopped, one killed, one removed while it runs.
. "$(dirname "$0")/lib.sh"

printf 'FROM busybox\nRUN mkdir /web\nSTOPSIGNAL USR1\nCMD ["sh"]\n' | dockerfile
build -t image ctx
before=$("$MYBUILD" inspect image | sha256sum)
server='trap "echo stopped >>/web/index.html; exit 6" USR1; hostname >/web/index.html; httpd -p 127.0.0.1:$PORT -h /web
  touch /out/$NAME; while :; do sleep 0.05; done'
base=$((20000 + RANDOM % 20000)) && mkdir out
for i in 1 2 3; do
  "$MYBUILD" run --name box$i -h host$i -e PORT=$((base + i)) -e NAME=$i -v "$work/out:/out" image sh -c "$server" 2>log &
  pids[i]=$!
done
until [ "$(ls out | wc -l)" = 3 ]; do sleep 0.05 && kill -0 ${pids[*]} 2>/dev/null || fail "a container ended early"; done
for i in 1 2 3; do
  assert_equal "$(busybox wget -qO- "http://127.0.0.1:$((base + i))/")" host$i "container $i answers"
done
assert_equal "$("$MYBUILD" ps --format '{{.Names}}' | sort | xargs)" "box1 box2 box3" "ps"
! "$MYBUILD" start -a box1 2>log || fail "a running container was started" && assert_log "box1 is running"
! "$MYBUILD" rm box1 2>log || fail "a running container was removed" && assert_log "is running"
"$MYBUILD" stop box1 && "$MYBUILD" kill box2 && "$MYBUILD" rm -f box3
for i in 1 2 3; do code=0 && wait ${pids[i]} || code=$? && codes+=" $code"; done
assert_equal "$codes" " 6 137 137" "exit codes of the stopped, the killed and the removed"
assert_equal "$("$MYBUILD" ps -a --format '{{.Names}}' | sort | xargs)" "box1 box2" "ps -a"
assert_equal "$(run image ls /web) $("$MYBUILD" inspect image | sha256sum)" " $before" "the image"
"$MYBUILD" rm box1 box2
