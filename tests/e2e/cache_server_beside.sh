#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A cache server that cannot be used costs a warning that says why, never the build; a step whose layer does not come has not failed.
. "$(dirname "$0")/lib.sh"
. "$support/cache_server.sh"
printf 'FROM busybox\nRUN echo one >/one\nRUN cat /one >/two\n' | dockerfile
tries=0
try() { MYBUILD_ROOT=$work/root.$((++tries)) build --cache-server "$1" -t image ctx && assert_step "RUN echo" DONE && assert_log "$2"; }
try http://cache.invalid:5050 "the build goes on without the cache server http://cache.invalid:5050: it would get our token over a network without TLS; .*allow it with --insecure-registry cache.invalid:5050"
try "unix:$work/gone.sock" "the build goes on without the cache server unix:$work/gone.sock: .* at unix:$work/gone.sock: no such file or directory"
assert_no_log "localhost"
mkdir -p config/mybuild && echo '{"cacheServer": {"tokn": "x"}}' >config/mybuild/config.json
try off . && assert_no_log tokn
start_cache cache
try "http://$cache" 'config/mybuild/config.json: "cacheServer.tokn" means nothing; did you mean token\?'
# The layers are gone: the step is given up, and runs here.
rm config/mybuild/config.json && find cache/content -type f -size -2 -path '*sha256*' -delete
MYBUILD_ROOT=$work/last build_tree --cache-server "http://$cache" ctx
assert_file out/two one
assert_no_log "ERROR" && assert_log "^#[0-9]* CANCELED" && assert_log "not used of the cache server"
for size in 0 0g; do ! "$MYBUILD" serve --root "$work/none" --max-size $size >log 2>&1 || fail "--max-size $size"; done
assert_log "a cache of 0 bytes keeps nothing" && [ ! -e none ] || fail "a directory was made"
