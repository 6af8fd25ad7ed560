#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run pulls an image that is missing, once; --pull always asks again, --pull never does not; rmi knows what uses an image.
. "$(dirname "$0")/lib.sh"

start_registry
push "$bases/busybox" base:1
requests() { grep -c 'http.request.method' registry.log || true; }
assert_equal "$("$MYBUILD" run --rm "$registry/base:1" echo hello 2>log)" hello "the first run"
assert_log "pulling $registry/base:1"
first=$(requests) && assert_below 0 "$first" "requests of the first run"
assert_equal "$("$MYBUILD" run --rm "$registry/base:1" echo again 2>&1) $(requests)" "again $first" "the second run"
assert_equal "$("$MYBUILD" images -q | wc -l)" 1 "images"
"$MYBUILD" run -q --rm --pull always "$registry/base:1" true 2>log && assert_file log ""
assert_below "$first" "$(requests)" "requests with --pull always"
status=0 && "$MYBUILD" run --pull never "$registry/other:1" 2>log || status=$?
assert_equal $status 125 "--pull never" && assert_log "no such image"
status=0 && "$MYBUILD" run "$registry/other:1" 2>log || status=$?
assert_equal $status 125 "an image that is nowhere"

"$MYBUILD" run --name box "$registry/base:1" sh -c 'echo mine >/file'
! "$MYBUILD" rmi "$registry/base:1" >log 2>&1 || fail "an image in use was removed" && assert_log "used by stopped container"
"$MYBUILD" rmi -f "$registry/base:1" >log && assert_log "Untagged" && assert_equal "$("$MYBUILD" images -q)" ""
"$MYBUILD" start -a box && assert_equal "$("$MYBUILD" ps -a --format '{{.Image}}' | wc -c)" 13 "the image's id stands for its name"
"$MYBUILD" rm box >log && assert_equal "$("$MYBUILD" ps -aq)" ""
