#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# prune: every filter, every limit, and what is refused by name.
. "$(dirname "$0")/lib.sh"
for n in 1 2 3; do
  printf 'FROM busybox\nRUN --mount=type=cache,target=/c,id=m%s echo %s >/c/f\nRUN : %s && head -c 1000000 /dev/urandom >/own\n' $n $n $n | dockerfile ctx$n
  build -o type=local,dest=out ctx$n
done
ids() { "$MYBUILD" du "${@:2}" --filter "$1" --format json | jq -r '.[].ID' | sort; }
prune() { "$MYBUILD" prune -f --format json "$@" | jq -r '.Removed[].ID' | sort; }
bytes() { "$MYBUILD" prune -f --format json "$@" | jq '.TotalSize / 1000000 | floor'; } # millions, as sizes are blocks
types() { "$MYBUILD" du --format json -v | jq -r '.Items[] | select(.Size >= 1000000 and .Size < 1100000) | .ID'; }
assert_equal "$(prune --filter until=1h)$(prune --filter until=2020-01-01)$(prune --filter inuse)$(prune --filter shared=true)" "" "of none"
one=$(types | head -n 1)
assert_equal "$(prune --filter "id=${one:0:9}")" "$one" "id"
mount=$(ids 'description~="m1"')
assert_equal "$(prune --filter type=exec.cachemount,description~=m1)" "$mount" "type and description"
assert_equal "$(prune --filter mutable --filter until=0s | wc -l)" 2 "mutable: the other mounts"
assert_equal "$(bytes --filter type=regular --max-used-space 1500000)" 1 "max-used-space"
assert_equal "$(prune --filter type=regular --reserved-space 10GB)$(prune --filter type=regular --keep-storage 10GB)" "" "reserved"
assert_equal "$(prune --filter private,immutable,type=regular --min-free-space 100% --reserved-space 1m)" "" "min-free and reserved"
assert_equal "$(bytes --filter type=regular --min-free-space 100%)" 1 "min-free-space"
assert_equal "$(bytes --filter type!=source.image,type!=internal)" 0 "all but these"
assert_below 0 "$(bytes --filter type=source.image)" "the base"
for bad in label=x until=soon type=layer id 'id~=(' inuse=maybe; do
  ! "$MYBUILD" prune -f --filter "$bad" 2>log >printed || fail "filter $bad was taken"
  assert_log "filter" && assert_equal "$(cat printed)" "" "$bad"
done
! "$MYBUILD" prune -f --filter label=x 2>log || fail label; assert_log 'filters are until, id, type, description, inuse'
! "$MYBUILD" prune -f --max-used-space lots 2>log || fail lots; assert_log "'lots' is not an amount of space"
