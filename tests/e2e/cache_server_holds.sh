#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout=120
# A server that says of every step that another machine runs it: its word is worth half a minute, once in a build.
. "$(dirname "$0")/lib.sh"
. "$support/cache_server.sh"
start_cache cache
python3 "$support/holding_proxy.py" "$cache" >proxy.address 2>proxy.log &
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
[ $SECONDS -lt 45 ] || fail "it took $SECONDS s: $(<log)"
assert_file out/4 4
assert_log "waiting for the same step"
assert_equal "$(grep -c 'POST.*/claim/' proxy.log)" 2 "claims: $(<proxy.log)"
