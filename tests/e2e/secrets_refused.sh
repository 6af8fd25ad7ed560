#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A secret that cannot be had is said before anything runs; one that is required and not given fails its step by name.
. "$(dirname "$0")/lib.sh"

printf 'FROM busybox\nRUN echo first\nRUN --mount=type=secret,id=a,required,env=A test -n "$A"\n' | dockerfile
head -c 512001 /dev/zero | tr '\0' x >big
printf 'a\0b' >zero
mkfifo silent
for spec in id=a,src=nowhere id=a,src=ctx id=a,src=big id=a; do
  build_fails --secret "$spec" ctx
  assert_log "secret a: "
  assert_no_log "^#.*RUN echo first"
done
build_fails ctx
assert_log "secret a: not found"
assert_log "ctx/Dockerfile:3|Dockerfile:3"
build_fails --secret id=a,src=zero ctx
assert_log "zero byte"
build_fails --secret id=a,src=/dev/zero ctx
assert_log "secret a: too big"
assert_below "$(milliseconds build_fails --secret id=a,src=silent ctx)" 15000 "milliseconds for a pipe without a writer"
assert_log "nobody writes"
a=by-name build --secret id=a ctx
echo by-name >a && build --no-cache --secret id=a ctx
for spec in a src=big id=a,typ=env id=a,type=x; do
  "$MYBUILD" build "${busybox[@]}" --secret "$spec" ctx >log 2>&1 && fail "$spec was taken"
  assert_log "invalid argument \"$spec\" for \"--secret\" flag"
done
