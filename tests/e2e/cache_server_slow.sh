#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A server at the end of a long line holds a short build up for seconds at most, and the user hears of it.
. "$(dirname "$0")/lib.sh"
. "$support/cache_server.sh"
start_cache cache
python3 "$support/delay_proxy.py" "$cache" 400 >proxy.address &
processes+=($!)
until [ -s proxy.address ]; do sleep 0.02; done
export MYBUILD_CACHE_SERVER=http://$(<proxy.address) MYBUILD_CACHE_TOKEN=$token
dockerfile <<'DOCKERFILE'
FROM busybox
RUN echo 1 >/1
RUN echo 2 >/2
RUN echo 3 >/3
RUN echo 4 >/4
DOCKERFILE
SECONDS=0
build_tree ctx
[ $SECONDS -lt 6 ] || fail "it took $SECONDS s: $(<log)"
assert_file out/4 4
assert_log "steps do not wait any longer for the cache server .*: its answers took .* s, and what it knows saves 0.0 s"
