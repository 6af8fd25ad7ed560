#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# images --filter: dangling, reference, label, before, since and until, as docker has them.
. "$(dirname "$0")/lib.sh"
made() { printf 'FROM busybox\nLABEL tier=%s\nRUN echo %s >/f\n' "$2" "$1$2" | dockerfile && build -t "$1" ctx && sleep 0.01; }
made app:1 web && made app:2 db && made team/tool:1 web && made app:1 new
images() { "$MYBUILD" images --format '{{.Repository}}:{{.Tag}}' "$@" | sort | tr '\n' ' '; }
assert_equal "$(images)" "<none>:<none> app:1 app:2 team/tool:1 " all
assert_equal "$(images -f dangling=true)" "<none>:<none> " dangling
assert_equal "$(images -f dangling=false -f reference=app)" "app:1 app:2 " "two filters"
assert_equal "$(images -f 'reference=*:1')" "app:1 " "a star stops at a slash"
assert_equal "$(images --filter 'reference=*/*' --filter reference=app:2)" "app:2 team/tool:1 " "one of two patterns"
assert_equal "$(images -f label=tier=web)" "<none>:<none> team/tool:1 " "a label with its value"
assert_equal "$(images -f label=tier -f label=other)" "" "all labels"
assert_equal "$(images -f before=team/tool:1)" "<none>:<none> app:2 " before
assert_equal "$(images -f since=app:2)" "app:1 team/tool:1 " since
assert_equal "$(images -f until=1h)" "" until
assert_equal "$("$MYBUILD" images -qf dangling=1 | wc -l)" 1 "ids"
for filter in name=x dangling=maybe before=gone until=soon dangling; do
  ! "$MYBUILD" images -f "$filter" >log 2>&1 || fail "$filter was taken"
done
