#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A server whose key is not the one that was seen first, or that the user has pinned: nothing of it is used.
. "$(dirname "$0")/lib.sh"
. "$support/cache_server.sh"
start_cache cache
export MYBUILD_CACHE_SERVER=http://$cache
dockerfile <<<$'FROM busybox\nRUN echo one >/one'
fresh() { rm -rf other && MYBUILD_ROOT=$work/other build_tree "$@" ctx; }
build ctx
kill "$cache_pid" && wait "$cache_pid" || true
restart_cache elsewhere "$cache"
build --no-cache ctx && assert_log "the key of namespace main of the cache server http://$cache has changed"
assert_equal "$(find elsewhere/content/blobs -type f | wc -l)" 0 "layers that went to whoever it is"
XDG_CONFIG_HOME=$work/another MYBUILD_ROOT=$work/another build ctx # publishes there
fresh
assert_log "has changed"
assert_step "RUN echo" DONE
# Keys of the user's own count alone.
rm config/mybuild/cache-keys.json
pin() { jq -n --arg url "http://$cache" --arg key "$1" '{cacheServer: {url: $url, keys: {main: $key}}}' >config/mybuild/config.json; }
unset MYBUILD_CACHE_SERVER
pin ed25519:_FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU
fresh
assert_log "has changed"
assert_step "RUN echo" DONE
pin "$(ask /cache/v1/keys/main | sed 's/^200 //' | jq -r .keys.main)"
fresh
assert_step "RUN echo" CACHED
[ ! -e config/mybuild/cache-keys.json ] || fail "a key was noted although the user has some"
