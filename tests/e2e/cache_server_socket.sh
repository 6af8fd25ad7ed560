#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A cache server behind a unix socket, used by the user that it belongs to without a word about tokens.
. "$(dirname "$0")/lib.sh"
. "$support/cache_server.sh"
"$MYBUILD" serve --root "$work/cache" --listen "unix:$work/cache.sock" >serve.log 2>&1 & processes+=($!)
until [ -s cache.sock.token ]; do kill -0 "${processes[-1]}" || fail "$(<serve.log)"; sleep 0.02; done
mkdir -p config/mybuild
jq -n --arg url "unix:$work/cache.sock:main" '{cacheServer: {url: $url}}' >config/mybuild/config.json
dockerfile <<<$'FROM busybox\nRUN echo one >/one'
build ctx
assert_log "of the cache server unix:$work/cache.sock are believed"
MYBUILD_ROOT=$work/second build ctx
assert_step "RUN echo" CACHED
MYBUILD_ROOT=$work/third MYBUILD_CACHE_SERVER=off build ctx
assert_step "RUN echo" DONE
! grep -r mbt_ log config || fail "a token is shown"
