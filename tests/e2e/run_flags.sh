#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The flags of mybuild run: -e -v -w -u --entrypoint --name --network -i, docker's meaning each.
. "$(dirname "$0")/lib.sh"

printf 'FROM busybox\nENV IMAGE=1 BOTH=image\nWORKDIR /work\nENTRYPOINT ["echo", "entry"]\nCMD ["cmd"]\n' | dockerfile
build -t image ctx
assert_equal "$(run image)" "entry cmd" "entrypoint and cmd"
assert_equal "$(run image one two)" "entry one two" "arguments replace CMD"
assert_equal "$(run --entrypoint echo image x)" "x" "--entrypoint"
sh=(--entrypoint sh)
assert_equal "$(FROM_HERE=3 run -e BOTH=run -e FROM_HERE "${sh[@]}" image -c 'echo $IMAGE $BOTH $FROM_HERE')" "1 run 3" "-e"
assert_equal "$(run "${sh[@]}" image -c pwd) $(run -w /tmp/new "${sh[@]}" image -c pwd)" "/work /tmp/new" "-w"
assert_equal "$(run -u nobody "${sh[@]}" image -c 'echo $(id -u) $(id -g)')" "65534 65534" "-u name"
assert_equal "$(run -u 12:34 "${sh[@]}" image -c 'echo $(id -u) $(id -g)')" "12 34" "-u uid:gid"
mkdir volume && echo host >volume/file
assert_equal "$(run -v "$work/volume:/v" "${sh[@]}" image -c 'cat /v/file; echo guest >/v/new')" host "-v"
assert_file volume/new guest
! run -v "$work/volume:/v:ro" "${sh[@]}" image -c 'echo x >/v/other' 2>log || fail ":ro was written"
assert_equal "$(run --network none "${sh[@]}" image -c 'ls /sys/class/net')" lo "--network none"
assert_equal "$(run --name some-name "${sh[@]}" image -c 'echo gone >/gone; cat /gone')" gone "a writable layer"
! run "${sh[@]}" image -c 'cat /gone' 2>log || fail "a container's file is in the image"
assert_equal "$(echo typed | run -i --entrypoint cat image)" typed "-i"
assert_equal "$(echo typed | run --entrypoint cat image)" "" "no stdin without -i"
