#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Two machines (state directories) and one `mybuild serve`: what the first builds the second finds, and runs nothing.
. "$(dirname "$0")/lib.sh"
. "$support/cache_server.sh"
start_cache cache
export MYBUILD_CACHE_SERVER=http://$cache
dockerfile <<'DOCKERFILE'
FROM busybox
RUN head -c 30 /dev/urandom | md5sum >/stamp
COPY file /file
RUN cat /file /stamp >/both
DOCKERFILE
echo one >ctx/file
build_tree ctx
assert_step "RUN head" DONE
assert_log "are believed from now on by its key ed25519:"
both=$(<out/both)
MYBUILD_ROOT=$work/second build_tree ctx
for step in "RUN head" "COPY file" "RUN cat"; do assert_step "$step" CACHED; done
assert_equal "$(<out/both)" "$both" "the files of the other machine"
assert_no_log "believed from now on|goes on without|WARN"
# A step whose definition is another, but whose inputs are the same, is found by what it is made of.
sed -i 's/^RUN head.*/&\nLABEL a=b/' ctx/Dockerfile
echo two >ctx/file
MYBUILD_ROOT=$work/third build_tree ctx
assert_step "RUN head" CACHED
assert_step "RUN cat" DONE
assert_equal "$(tail -n 1 out/both)" "$(tail -n 1 <<<"$both")" "the stamp"
