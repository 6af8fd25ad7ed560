#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# du: what it lists adds up to its total, and that is what lies in the state directory; nothing is walked twice.
. "$(dirname "$0")/lib.sh"
printf 'FROM busybox\nRUN head -c 3000000 /dev/urandom >/own\n' | dockerfile && build -t app ctx
printf 'FROM busybox\nRUN --mount=type=cache,target=/c head -c 2000000 /dev/urandom >/c/f\n' | dockerfile mount && build mount
build -o type=oci,dest=app.tar ctx
"$MYBUILD" run --name box -v data:/data app sh -c 'head -c 1000000 /dev/urandom >/data/f; head -c 1500000 /dev/urandom >/written' 2>log
"$MYBUILD" du -v --format json >usage
listed=$(jq '[.Items[].Size, .Containers[].Size, .Volumes[].Size] | add' usage)
assert_equal "$(jq .TotalSize usage)" "$listed" "the total"
assert_equal "$(jq '[.ImagesSize, .ContainersSize, .LocalVolumesSize, .BuildCacheSize, .BlobsSize, .GitMirrorsSize, .CacheMountsSize,
  .IndexSize] | add' usage)" "$listed" "its lines"
stored=$(find "$MYBUILD_ROOT" -type f -links -2 -printf '%s\n' | awk '{ sum += $1 } END { print sum }')
hard=$(find "$MYBUILD_ROOT" -type f -links +1 -printf '%D:%i %s\n' | sort -u | awk '{ sum += $2 } END { print sum + 0 }')
off=$((stored + hard - listed))
assert_below "${off#-}" 300000 "bytes that du does not know"
assert_equal "$(jq '.Containers[0].Size >= 1500000 and .Volumes[0].Size == 1000000 and .CacheMountsSize == 2000000' usage)" true "parts"
# A note beside a cache mount and a stopped container says what they hold, as long as nobody used them since.
sleep 2.1 && "$MYBUILD" du >log && head -c 7 /dev/zero >"$(echo "$MYBUILD_ROOT"/cache-mounts/*/0)/more"
assert_equal "$("$MYBUILD" du --filter type=exec.cachemount --format json | jq '.[0].Size')" 2000000 "what nobody used since"
sleep 1 && build --no-cache mount && sleep 0.1
assert_equal "$("$MYBUILD" du --filter type=exec.cachemount --format json | jq '.[0].Size')" 2000007 "what a step used"
"$MYBUILD" du --filter inuse=false | tail -n 1 | grep -q '^Total: ' || fail "no total of a filter"
"$MYBUILD" rm box >log && "$MYBUILD" volume rm data >log
