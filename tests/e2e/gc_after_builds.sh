#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# After builds the cache is kept within $MYBUILD_GC; what was not used longest goes, what this build used stays.
. "$(dirname "$0")/lib.sh"
export MYBUILD_GC=max-used-space=4m,reserved-space=0,min-free-space=0,every=0s
used() { "$MYBUILD" du -v --format json | jq '[.Items[] | select(.Shared | not) | .Size] | add'; }
for i in 1 2 3 4 5 6 7 8; do
  printf 'FROM scratch\nCOPY f /\n' | dockerfile ctx$i && head -c 1500000 /dev/urandom >ctx$i/f
  build -o type=local,dest=out ctx$i
  find "$MYBUILD_ROOT/layers" -mindepth 1 -maxdepth 1 -amin -5 -exec touch -a -d "$((20 - i)) minutes ago" {} +
done
assert_below "$(used)" 5800000 "kept after eight builds"
assert_below 2900000 "$(used)" "kept after eight builds, no more than needed went"
build -o type=local,dest=out ctx8 && assert_step 'COPY' CACHED
build -o type=local,dest=out ctx1 && assert_step 'COPY' DONE
# Every ten minutes by default; off; what cannot be read is said before anything is built.
export MYBUILD_GC=max-used-space=0,reserved-space=0,min-free-space=0
build --no-cache -o type=local,dest=out ctx1 && assert_below 1000000 "$(used)" "it is too early"
MYBUILD_GC=off,every=0s build_fails --no-cache ctx1 && assert_log 'ERROR: .*MYBUILD_GC'
MYBUILD_GC=off build --no-cache ctx1 && assert_no_log 'could not be removed'
touch -d '11 minutes ago' "$MYBUILD_ROOT/gc-stamp" && build --no-cache -o type=local,dest=out ctx2
assert_below "$(used)" 1700000 "what this build uses"
