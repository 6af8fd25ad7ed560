#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# testdata/hello builds and runs; stdout stays empty but with -q, which prints the image id; images, inspect and rmi see it.
. "$(dirname "$0")/lib.sh"

hello=$checkout/testdata/hello
stdout=$("$MYBUILD" build "${busybox[@]}" -t hello -t hello:second "$hello" 2>log) || fail "the build failed"
assert_equal "$stdout" "" "stdout"
run hello >out
assert_file out "MADE BY MYBUILD
hello, world
hello, layers
hello, caches"

id=$(image_id -t hello "$hello" 2>log)
[[ $id =~ ^sha256:[0-9a-f]{64}$ ]] || fail "-q printed '$id'"
assert_equal "$(cat log)" "" "stderr of -q"
run "$id" cat /srv/banner | grep -qx "MADE BY MYBUILD" || fail "run by id"
run "${id:7:12}" true || fail "run by short id"

"$MYBUILD" images >log
assert_log "hello +second"
"$MYBUILD" inspect hello | jq -e '.[0] // . | .. | objects | select(.Labels?."org.opencontainers.image.title" == "hello")' >log ||
  fail "inspect does not show the label"
"$MYBUILD" rmi hello:second hello >log
assert_log "Untagged: .*hello"
! "$MYBUILD" run --rm hello 2>log || fail "a removed image runs"
