#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A second build asks what a tag is now, and nothing else; a tag that moved is the new image; a digest is not asked for; --pull passes
# the local store by; who is offline builds on.
. "$(dirname "$0")/lib.sh"
start_registry
push "$bases/busybox" base:1
requests() { grep -o 'http.request.method=[A-Z]*' registry.log | sed 's/.*=//' | tail -n +$((${1:-0} + 1)); }
printf 'FROM %s/base:1\nRUN echo hello >/hello\n' "$registry" | dockerfile
build -t image ctx && seen=$(requests | wc -l)
build -t image ctx && assert_step "RUN echo" CACHED
assert_equal "$(requests "$seen")" HEAD "requests of a second build"
digest=$(skopeo inspect --raw --tls-verify=false "docker://$registry/base:1" | sha256sum | cut -d' ' -f1)
printf 'FROM %s/base:1@sha256:%s\nRUN echo hello >/hello\n' "$registry" "$digest" | dockerfile pinned
build pinned && seen=$(requests | wc -l)
build pinned && assert_equal "$(requests "$seen")" "" "requests for a digest"

printf 'FROM busybox\nRUN echo moved >/moved\n' | dockerfile other && build -o type=oci,dest=moved,tar=false other && push "$work/moved" base:1
printf 'FROM %s/base:1\nRUN cat /moved\n' "$registry" | dockerfile && build ctx && assert_log "moved"
"$MYBUILD" pull -q "$registry/base:1" >log 2>&1 && push "$bases/busybox" base:1
build --no-cache ctx && assert_log "moved"
build_fails --pull --no-cache ctx && assert_log "'/moved': No such file"
printf 'FROM %s/base:1\nRUN true\n' "$registry" | dockerfile && build --pull ctx && "$MYBUILD" rmi "$registry/base:1" >log
kill "${processes[-1]}" && wait "${processes[-1]}" || true
build ctx && assert_step "RUN true" CACHED && assert_log "base:1 is what it was when its registry answered last"
build_fails --pull ctx && assert_log "Couldn't connect"
