#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# COPY and ADD where BuildKit's answer is not the obvious one; all expectations were read off BuildKit.
. "$(dirname "$0")/lib.sh"
mkdir -p ctx/d1 ctx/d2 ctx/s/e ctx/only && cd ctx
echo one >d1/a && ln d1/a d1/b && ln d1/a d1/c && echo two >d2/a && touch top.txt top.md s/1.txt s/e/1.txt only/x
chmod 640 s/1.txt && chmod 1777 s/e && tar -cf t.tar d1 && gzip <t.tar | gzip >twice.gz && head -c 10500 t.tar >short.tar && cd ..
dockerfile <<'D'
FROM busybox
RUN echo 'blank:x:16:17::/:' >>/etc/passwd
COPY d1 d2 /links/
COPY --exclude=*.txt top.* /named/
COPY --exclude=!e --exclude=* s /none
COPY --chmod=u=rwX,go=rX s /mode
COPY --chmod=a=rwxu top.txt /all
COPY --chown=blank:nosuch top.txt /owner1
COPY --chown=7: top.txt /owner2
ADD --chmod=700 t.tar /unpacked
ADD twice.gz /plain
ADD short.tar /short
COPY --parents s/./e/*.txt o*/x /parents/
D
build ctx -o type=tar,dest=out.tar && mkdir out && tar -xf out.tar --numeric-owner -C out
assert_equal "$(cat out/links/{a,b,c} | tr '\n' ' ')" "two one one " "a replaced name leaves the others what they were"
[ out/links/b -ef out/links/c ] || fail "b and c are no longer one file"
assert_equal "$(ls out/named out/none out/parents | xargs)" "out/named: top.md top.txt out/none: out/parents: e only" "what was selected"
assert_equal "$(cd out && stat -c '%n:%a' mode/1.txt mode/e all unpacked unpacked/d1 | xargs)" "mode/1.txt:644 mode/e:1755 all:777 unpacked:755 unpacked/d1:755" modes
assert_equal "$(cd out && stat -c '%u:%g' owner1 owner2 | xargs)" "16:17 7:0" owners
[ -f out/plain ] || fail "compression was taken off twice"
assert_equal "$(ls out/short/d1 | xargs)" "a b c" "an archive without its last blocks"
