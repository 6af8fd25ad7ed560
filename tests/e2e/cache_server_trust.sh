#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Whose records a build believes, and what it hears with a token that is not good for what it wants.
. "$(dirname "$0")/lib.sh"
. "$support/cache_server.sh"
start_cache cache
export MYBUILD_CACHE_SERVER=http://$cache
dockerfile <<<$'FROM busybox\nRUN echo one >/one'
fresh() { rm -rf other && MYBUILD_ROOT=$work/other build_tree "$@" ctx; }
MYBUILD_CACHE_TOKEN=mbt_wrong fresh
assert_log "goes on without the cache server .* takes no token of ours.*MYBUILD_CACHE_TOKEN"
# Who may only read finds, and says once that nothing is published.
reader=$(serve_token cache --scope read)
MYBUILD_CACHE_TOKEN=$reader fresh
assert_step "RUN echo" DONE
assert_equal "$(grep -c 'not allowed with our token' log)" 1 "warnings"
build ctx # publishes
MYBUILD_CACHE_TOKEN=$reader fresh
assert_step "RUN echo" CACHED
