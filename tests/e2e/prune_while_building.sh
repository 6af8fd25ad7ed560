#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# prune during a running build harms nothing: what its steps stand on, what it has made, its cache mount, its image.
. "$(dirname "$0")/lib.sh"
printf '%s\n' 'FROM busybox AS one' 'RUN echo first >/first' 'RUN --mount=type=cache,target=/c echo kept >/c/f && sleep 3 && cat /c/f /first >/second' \
  'FROM one' 'COPY --from=one /second /copied' 'RUN sleep 1 && cat /copied >/third' | dockerfile
"$MYBUILD" build --progress plain "${busybox[@]}" -t app ctx >built 2>&1 &
build=$!
pruned=0
while kill -0 $build 2>/dev/null; do
  "$MYBUILD" prune -af >log || fail "prune"
  pruned=$((pruned + 1))
  sleep 0.05
done
wait $build || { cat built && fail "the build"; }
assert_below 5 "$pruned" "prunes"
assert_equal "$(run app cat /third | xargs)" "kept first" "the image"
# A container that runs from an image that goes under it.
"$MYBUILD" run --name box app sh -c 'sleep 2; cat /third' >out & 
container=$!
for _ in $(seq 100); do [ "$("$MYBUILD" ps -q)" = "" ] || break; sleep 0.05; done
"$MYBUILD" rmi -f app >log && "$MYBUILD" prune -af >log
wait $container && assert_equal "$(xargs <out)" "kept first" "the container" && "$MYBUILD" rm box >log
