#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A push that cannot work says why, ends soon, and leaves the store as it was.
. "$(dirname "$0")/lib.sh"
start_registry
printf 'FROM busybox\nRUN head -c 50000000 /dev/urandom >/noise\n' | dockerfile
build -t "$registry/app:1" -t localhost:1/app:1 ctx
push_fails() {
  local status=0
  timeout 60 "$MYBUILD" push "$@" >out 2>log || status=$?
  [ $status = 1 ] && [ ! -s out ] || fail "push $*: exit code $status, printed '$(cat out)'"
}
push_fails localhost:1/app:1 && assert_log "localhost.* port 1"
push_fails "$registry/unknown:1" && assert_log "no such image: $registry/unknown:1"
push_fails "$registry/UPPER:1" && assert_log "lower case"
push_fails "$registry/app@sha256:$(printf %064d 0)" && assert_log "digest"
build_fails --push ctx && assert_log "needs a name"
build_fails -t localhost:1/other:1 --push ctx && assert_log "localhost.* port 1"

# The registry dies in the middle of an upload; started again, it takes the image.
die_during_upload() {
  until compgen -G "registry/docker/registry/v2/repositories/app/_uploads/*/data" >/dev/null; do :; done
  kill -STOP "$1" && sleep 0.3 && kill -KILL "$1"
}
die_during_upload "${processes[-1]}" &
push_fails "$registry/app:1" && assert_log "push $registry/app"
wait
docker-registry serve registry.yml >registry.log 2>&1 & processes+=($!) && wait_for_registry
"$MYBUILD" push "$registry/app:1" >out 2>log || fail "push after the registry came back"
