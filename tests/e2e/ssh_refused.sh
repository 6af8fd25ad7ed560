#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An agent or key file that cannot be had is said before anything runs; a required one that was not given fails its step.
. "$(dirname "$0")/lib.sh"

printf 'FROM busybox\nRUN echo first\nRUN --mount=type=ssh,id=a,required true\n' | dockerfile
ssh-keygen -q -t ed25519 -N '' -f key && ssh-keygen -q -t ed25519 -N password -f locked && ssh-keygen -q -t rsa -N password -m PEM -f locked.pem
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("dead.sock")'
head -c 102401 /dev/zero >big
refused() { # SPEC WORDS
  build_fails --ssh "$1" ctx
  assert_log "ssh agent a: .*$2"
  assert_no_log "^#.*RUN echo first"
}
unset SSH_AUTH_SOCK
refused a "make sure SSH_AUTH_SOCK is set"
refused a=nowhere "nowhere"
refused a=ctx "is a directory"
refused a=big "too big"
refused a=key.pub "no private key found"
refused a=locked "passphrase"
refused a=locked.pem "passphrase"
refused a=dead.sock "dead.sock"
refused a=key,dead.sock "goes alone"
build_fails --ssh a=key --ssh a=key ctx
assert_log 'duplicate agent ID "a"'
build_fails --ssh b=key ctx
assert_log "unset ssh forward key a"
build --ssh a=key ctx
