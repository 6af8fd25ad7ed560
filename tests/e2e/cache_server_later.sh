#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a build could not publish because the server was not there is published behind the next build that meets it.
. "$(dirname "$0")/lib.sh"
. "$support/cache_server.sh"
start_cache cache
export MYBUILD_ROOT=$work/first
kill "$cache_pid" && wait "$cache_pid" || true
export MYBUILD_CACHE_SERVER=http://$cache
dockerfile <<<$'FROM busybox\nRUN echo one >/one\nRUN --mount=type=secret,id=s,required=false echo two >/two'
echo sesame-open-sesame >secret
build --secret id=s,src=secret ctx
assert_log "goes on without the cache server"
assert_equal "$(ls first/cache-publish | wc -l)" 1 "files of steps that wait"
! grep -q sesame first/cache-publish/* || fail "the secret waits with them"
build --secret id=s,src=secret ctx
assert_equal "$(ls first/cache-publish | wc -l)" 1 "files of steps that wait, the server still gone"
while pgrep -f "cache-flush --root=$MYBUILD_ROOT" >/dev/null; do sleep 0.05; done # of a build that ran out of time before it knew
restart_cache cache "$cache"
MYBUILD_CACHE_TOKEN=$(serve_token cache --namespace pr --parent main) build ctx
sleep 1
assert_equal "$(ls first/cache-publish | wc -l)" 1 "files of steps that wait for the token they were made with"
build --secret id=s,src=secret ctx
assert_step "RUN echo one" CACHED
until [ -z "$(ls first/cache-publish)" ]; do sleep 0.1; done
MYBUILD_ROOT=$work/second build ctx
assert_step "RUN echo one" CACHED
assert_step "RUN --mount" CACHED
