#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Several machines that begin the same build at once: each step runs on one of them, and all get what that one made.
. "$(dirname "$0")/lib.sh"
. "$support/cache_server.sh"
start_cache cache
export MYBUILD_CACHE_SERVER=http://$cache
dockerfile <<'DOCKERFILE'
FROM busybox
RUN sleep 1; head -c 30 /dev/urandom | md5sum >/one
RUN sleep 1; head -c 30 /dev/urandom | md5sum >/two
DOCKERFILE
builds=()
for machine in 1 2 3 4; do
  MYBUILD_ROOT=$work/machine$machine "$MYBUILD" build --progress plain "${busybox[@]}" -o type=local,dest=out$machine ctx >log$machine 2>&1 &
  builds+=($!)
done
for build in "${builds[@]}"; do wait "$build" || fail "$(cat log?)"; done
assert_equal "$(cat out?/one | sort -u | wc -l)" 1 "different outcomes of the first step"
assert_equal "$(cat out?/two | sort -u | wc -l)" 1 "different outcomes of the second step"
grep -q "waiting for the same step" log? || fail "nobody waited: $(cat log?)"
