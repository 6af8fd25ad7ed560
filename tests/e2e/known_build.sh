#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# "Nothing changed" is answered for the build as a whole, and only then; what was removed meanwhile is made again.
. "$(dirname "$0")/lib.sh"
dockerfile <<'EOF'
FROM busybox
ARG A=1
COPY f /f
RUN cat /f >/g && head -c 8 /dev/urandom | od -An -tx1 >/random && echo $A >>/g
EOF
echo one >ctx/f
id() { image_id -t known "$@" ctx; }
first=$(id)
assert_equal "$(id)" "$first" "the same again"
build -t other ctx # the steps are shown all the same, and another name is given
assert_equal "$(grep -c CACHED log)" 2 "cached steps"
assert_log 'naming to docker.io/library/other:latest done'
[ "$(id --build-arg A=2)" != "$first" ] || fail "an argument does not count"
[ "$(id --label x=y)" != "$first" ] || fail "a label does not count"
echo two >ctx/f && [ "$(id)" != "$first" ] || fail "a file does not count"
echo one >ctx/f && assert_equal "$(id)" "$first" "the file as it was"
second=$(id --no-cache)
[ "$second" != "$first" ] || fail "--no-cache gave the old image"
assert_equal "$(id)" "$second" "what ran again by order is what the next build finds"
"$MYBUILD" rmi known other >/dev/null && assert_equal "$(id)" "$second" "an image that was removed"
layer=$("$MYBUILD" inspect known | jq -r '.[0].RootFS.Layers[2]')
rm -r "$MYBUILD_ROOT/layers/${layer#sha256:}" # a layer is gone
id >/dev/null
assert_equal "$("$MYBUILD" run --rm known cat /g)" $'one\n1' "a build without its layer"
