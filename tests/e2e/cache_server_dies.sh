#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A cache server that is killed, or stops answering, in the middle of a build, and one that was never there.
. "$(dirname "$0")/lib.sh"
. "$support/cache_server.sh"
start_cache cache
export MYBUILD_CACHE_SERVER=http://$cache
dockerfile <<'DOCKERFILE'
FROM busybox
RUN echo one >/one
RUN sleep 1; echo two >/two
RUN echo three >/three
RUN echo four >/four
DOCKERFILE
(sleep 0.7 && kill -9 "$cache_pid") &
build_tree ctx
assert_file out/four four
assert_equal "$(grep -c 'goes on without the cache server' log)" 1 "warnings"
# It hangs from the start on: two seconds, once.
restart_cache cache "$cache"
kill -STOP "$cache_pid"
took=$(MYBUILD_ROOT=$work/second milliseconds build_tree ctx)
kill -CONT "$cache_pid"
assert_below "$took" 5500 "milliseconds of a build whose server hangs"
assert_equal "$(grep -c 'goes on without the cache server' log)" 1 "warnings"
# Nobody there at all.
MYBUILD_ROOT=$work/third build_tree --cache-server "http://127.0.0.1:$(free_port)" ctx
assert_equal "$(grep -c 'goes on without the cache server' log)" 1 "warnings"
MYBUILD_ROOT=$work/third build_tree --cache-server http://cache.example ctx
assert_log "goes on without the cache server http://cache.example: .*over a network without TLS"
