#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Records that are not what the server has signed: misses, told at the end.
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
# Records say another time than the server has signed.
kill "$cache_pid" && wait "$cache_pid" || true
python3 -c 'import sqlite3; db = sqlite3.connect("cache/cache.db")
db.execute("update record set body = replace(body, ?, ?)", ("\"cost_ms\":", "\"cost_ms\":1")), db.commit()'
restart_cache cache "$cache"
MYBUILD_ROOT=$work/fourth build_tree ctx
assert_step "RUN cat" DONE
assert_log "not used of the cache server .* with a wrong signature"
assert_file out/both $'one\ntwo'
