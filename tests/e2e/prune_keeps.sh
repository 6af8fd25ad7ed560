#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# prune -af keeps what images and containers need: run works after it, and so does start when the image is gone.
. "$(dirname "$0")/lib.sh"
for app in one two; do
  printf 'FROM busybox AS stage\nRUN echo base >/base\nFROM stage\nRUN echo %s >/name\n' $app | dockerfile $app
  build -t $app $app
done
"$MYBUILD" prune -af >log
for app in one two; do assert_equal "$(run $app cat /name /base | xargs)" "$app base" "run $app after prune"; done
"$MYBUILD" run --name box two sh -c 'cat /name /base' >log && assert_equal "$(xargs <log)" "two base" "in a container"
"$MYBUILD" rmi -f two >log && "$MYBUILD" prune -af >log
assert_equal "$("$MYBUILD" start -a box | xargs)" "two base" "the container after its image went"
assert_equal "$(run one cat /name /base | xargs)" "one base" "the other image on that base"
own=$("$MYBUILD" du -v --format json | jq '[.Layers[] | select(.Images == 0)] | length')
assert_equal "$own" 1 "the layer that only the container has"
"$MYBUILD" rm box >log && "$MYBUILD" prune -f >log
assert_equal "$("$MYBUILD" du -v --format json | jq .BuildCacheSize)" 0 "nothing needs it now"
assert_equal "$(run one cat /name /base | xargs)" "one base" "the other image, still"
# With --all nothing is remembered of earlier builds, without it the steps of images are found.
"$MYBUILD" prune -f >log && build --no-cache -t one one && build -t one one && assert_step 'RUN echo one' CACHED
"$MYBUILD" prune -f >log && build -t one one && assert_step 'RUN echo one' CACHED
"$MYBUILD" prune -af >log && build -t one one && assert_step 'RUN echo one' DONE
