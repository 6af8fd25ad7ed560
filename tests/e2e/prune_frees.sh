#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# prune frees what it says, at once: layers of no image, their compressed forms, cache mounts. It asks before.
. "$(dirname "$0")/lib.sh"
bytes() { command du -sb "$MYBUILD_ROOT" | cut -f1; }
printf 'FROM busybox\nRUN --mount=type=cache,target=/c head -c 4000000 /dev/urandom >/c/f\nRUN head -c 5000000 /dev/urandom >/own\n' | dockerfile
build -t app ctx && build -o type=oci,dest=app.tar ctx && "$MYBUILD" rmi app >log
before=$(bytes)
! "$MYBUILD" prune </dev/null >out 2>log || assert_equal "$(cat out)" "" "an answer that is none"
assert_log '^WARNING! This will remove all build cache' && assert_equal "$(bytes)" "$before" "nothing went"
said=$("$MYBUILD" prune -f --format json | tee removed | jq .TotalSize)
off=$((before - $(bytes) - said))
assert_below 14000000 "$said" "bytes of layers, blobs and the mount"
assert_below "${off#-}" 700000 "freed, but not said"
assert_equal "$(jq '[.Removed[].Size] | add' removed)" "$said" "single things"
assert_equal "$(jq -r '.Removed[].Type' removed | sort -u | xargs)" "exec.cachemount regular source.image" "types"
assert_equal "$(ls "$MYBUILD_ROOT/trash")" "" "the trash"
build -t app ctx && assert_step 'RUN head' DONE && assert_equal "$("$MYBUILD" run --rm app wc -c /own)" "5000000 /own" "built again"
"$MYBUILD" rmi app >log && "$MYBUILD" buildx prune --force >out
assert_equal "$(head -n 1 out | tr -s ' ')" "ID TYPE SIZE LAST USED" "the heading"
grep -qE '^[0-9a-f]{12} +regular +5(\.0[0-9])?MB +(Less than a second|[0-9]+ seconds?) ago$' out || fail "no line of the layer"
assert_equal "$(tail -n 1 out | cut -c1-6)" "Total:" "the last line"
"$MYBUILD" builder prune -f --verbose >out && assert_equal "$(cat out)" "Total:  0B" "nothing is left"
