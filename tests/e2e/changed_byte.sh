#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A changed byte runs exactly the steps again that can see it.
. "$(dirname "$0")/lib.sh"
dockerfile <<'D'
FROM busybox AS one
COPY a.txt /a.txt
RUN cat /a.txt >/one
FROM busybox AS two
COPY b.txt /b.txt
RUN cat /b.txt >/two
FROM busybox
COPY --from=one /one /one
COPY --from=two /two /two
RUN cat /one /two >/both
D
echo a >ctx/a.txt && echo b >ctx/b.txt && echo unseen >ctx/c.txt
build -t image ctx
echo B >ctx/b.txt && echo other >ctx/c.txt
build -t image ctx
for step in "COPY a.txt" "RUN cat /a.txt" "COPY --from=one"; do assert_step "$step" CACHED; done
for step in "COPY b.txt" "RUN cat /b.txt" "COPY --from=two" "RUN cat /one /two"; do assert_step "$step" DONE; done
run image cat /both >out
assert_file out "a
B"
# A step whose outcome is the same as before does not make the steps after it run again.
sed -i 's#cat /a.txt >/one#cat  /a.txt >/one#' ctx/Dockerfile
build -t image ctx
assert_step "RUN cat  /a.txt" DONE
assert_step "RUN cat /one /two" CACHED
