#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A server with a layer that was changed: a miss, told at the end; the build gives what it gives without one.
. "$(dirname "$0")/lib.sh"
. "$support/cache_server.sh"
start_cache cache
export MYBUILD_CACHE_SERVER=http://$cache
dockerfile <<'DOCKERFILE'
FROM busybox
RUN echo one >/one
RUN echo two >/two
RUN cat /one /two >/both
DOCKERFILE
build ctx
# One layer has other bytes of the same length.
blob=$(find cache/content -type f -size -2 -path '*sha256*' | sort | head -n 1)
[ -n "$blob" ] || fail "no blob: $(find cache)"
cp "$blob" saved && tr '\000-\377' '\001-\377\000' <saved >"$blob"
MYBUILD_ROOT=$work/second build_tree ctx
assert_file out/both $'one\ntwo'
assert_log "not used of the cache server .*: 1 layer that could not be had or was not what its record says"
cp saved "$blob"
MYBUILD_ROOT=$work/third build_tree ctx
assert_no_log "not used of"
for step in "RUN echo one" "RUN echo two" "RUN cat"; do assert_step "$step" CACHED; done
