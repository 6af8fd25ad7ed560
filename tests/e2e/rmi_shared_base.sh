#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# After rmi of one of two images on a base the other still runs, and what only the first had is reclaimable, nothing else.
. "$(dirname "$0")/lib.sh"
for app in one two; do
  printf 'FROM busybox\nRUN head -c 1000000 /dev/urandom >/own\n# %s\nRUN echo %s >/name\n' $app $app | dockerfile $app
  build --no-cache -t $app $app
done
reclaimable() { "$MYBUILD" du -v --format json | jq '[.Items[] | select(.Reclaimable and .Type == "regular") | .Size] | add // 0'; }
assert_equal "$(reclaimable)" 0 "while both are there"
"$MYBUILD" rmi one >log && assert_below 1000003 "$(reclaimable)" "what only one had"
"$MYBUILD" prune -f >log && assert_log '^Total:  1.0[0-9]MB' && assert_equal "$(reclaimable)" 0 "after prune"
assert_equal "$(run two cat /name)" two "the other"
build -t two two && assert_step 'RUN echo two' CACHED
build -t one one && assert_step 'RUN echo one' DONE && assert_equal "$(run one cat /name)" one "built again"
# image prune: those without a name; with -a those without a container.
printf 'FROM busybox\nRUN echo other >/name\n' | dockerfile one && build -t one one
"$MYBUILD" image prune -f >out 2>log
assert_equal "$(grep -c '^Deleted: sha256:' out)" 1 "the nameless one" && assert_log 'of layers are build cache now'
"$MYBUILD" run --name box one true && "$MYBUILD" image prune -af --filter until=1h >out 2>log && assert_equal "$(cat out)" "Total reclaimed space: 0B" "until"
"$MYBUILD" image prune -af >out 2>log && assert_equal "$(grep '^Untagged' out)" "Untagged: two:latest" "without a container"
assert_equal "$("$MYBUILD" images --format '{{.Repository}}')" one "what is left"
"$MYBUILD" rm box >log
