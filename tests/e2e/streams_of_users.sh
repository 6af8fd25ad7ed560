#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A user other than root can open its own streams by name, in steps, in containers and on a terminal; a container may edit its hosts.
. "$(dirname "$0")/lib.sh"

dockerfile <<'D'
FROM busybox
USER 1000:1000
RUN echo to-stdout >/dev/stdout && echo to-stderr >/dev/stderr
D
build -t image ctx
assert_log "[0-9] to-stdout"
assert_log "[0-9] to-stderr"
assert_equal "$(run image sh -c 'echo a >/dev/stdout; echo b >/dev/stderr' 2>&1 | tr '\n' ' ')" "a b " "through a pipe"
run image sh -c 'echo a >/dev/stdout; echo b >/proc/self/fd/2' >file 2>&1 || fail "into a file"
assert_equal "$(tr '\n' ' ' <file)" "a b " "into a file"
script -qec "$MYBUILD run --rm -t image sh -c 'echo c >/dev/stderr; echo d >/dev/console'" /dev/null >screen </dev/null || fail "on a terminal"
assert_equal "$(tr -d '\r' <screen | tr '\n' ' ')" "c d " "on a terminal"
assert_equal "$(run -u 0 -h box image sh -c 'echo 1.2.3.4 h >>/etc/hosts && grep -c h$ /etc/hosts; cat /etc/hostname')" \
  "$(printf '1\nbox')" "hosts and hostname"
printf 'FROM image\nUSER 0\nRUN ! echo x >>/etc/hosts\n' | dockerfile second && build second
