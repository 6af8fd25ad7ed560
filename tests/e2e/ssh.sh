#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# --ssh: a real ssh-add and ssh-keygen in a step list and sign with the keys of an agent or of key files, and can do no more.
. "$(dirname "$0")/lib.sh"
ssh-keygen -q -t ed25519 -N '' -C agent-key -f agent.key
n=0 && for kind in "ed25519" "rsa -b 2048" "rsa -b 2048 -m PEM" "ecdsa -b 256" "ecdsa -b 384" "ecdsa -b 521" "ecdsa -b 256 -m PKCS8"; do
  ssh-keygen -q -t $kind -N '' -C "$kind" -f "file.$((++n))"
done
ssh-agent -D -a "$work/agent.sock" >/dev/null & processes+=($!)
for try in $(seq 100); do SSH_AUTH_SOCK=agent.sock ssh-add -q agent.key 2>/dev/null && break; sleep 0.05; done
dockerfile <<'D'
FROM busybox
COPY tools /
COPY *.pub /keys/
RUN --mount=type=ssh --mount=type=ssh,id=files,target=/f.sock,mode=0666,uid=5,gid=6 \
    ssh-add -l >/agent.list && export SSH_AUTH_SOCK=/f.sock && ssh-add -L | wc -l >/count && ls -ln /f.sock | cut -c1-20 >/rights && \
    for k in /keys/file.*.pub; do echo data | ssh-keygen -q -Y sign -n test -f $k >${k%.pub}.sig || exit 1; done
RUN --mount=type=ssh ! ssh-add -D && ! ssh-add -x </dev/null && ssh-add -l && ! ls /f.sock
RUN ! ls /run/buildkit /f.sock
D
tools=$(type -P ssh-add ssh-keygen)
mkdir ctx/tools && cp ./*.pub ctx && cp --parents -L $tools $(ldd $tools | grep -o '/lib[^ :]*' | sort -u) ctx/tools
SSH_AUTH_SOCK=$work/agent.sock build_tree --ssh default --ssh "files=$(ls file.? | paste -sd,)" ctx
assert_equal "$(cat out/agent.list)" "$(ssh-keygen -lf agent.key)" "ssh-add -l in the step"
assert_equal "$(cat out/count) $(cat out/rights)" "7 srw-rw-rw-    0 5   " "keys and rights"
for key in file.?; do
  echo "me $(cat "$key.pub")" >signers
  echo data | ssh-keygen -q -Y verify -n test -f signers -I me -s "out/keys/$key.sig" || fail "the signature by $(ssh-keygen -lf "$key")"
done
SSH_AUTH_SOCK=agent.sock ssh-add -l >/dev/null || fail "the agent lost its key or was locked"
