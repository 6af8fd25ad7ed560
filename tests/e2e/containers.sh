#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A container's life: run leaves it stopped, ps shows it, start finds its files, rm removes it and its layer.
. "$(dirname "$0")/lib.sh"

printf 'FROM busybox\nENV FROM=image\nCMD ["sh"]\n' | dockerfile
build -t image ctx
ps() { "$MYBUILD" ps -a --format '{{.Names}} {{.Status}}' "$@" | sed 's/ Less.*\| [0-9]* sec.*//'; }
code=0 && "$MYBUILD" run --name box --cidfile id -e FROM=here image \
  sh -c 'echo run >>/log; echo $FROM $(wc -l </log); exit $(wc -l </log)' >out || code=$?
assert_equal "$code $(cat out)" "1 here 1" "the first run"
assert_equal "$("$MYBUILD" ps -q) $(ps)" " box Exited (1)" "ps and ps -a"
code=0 && "$MYBUILD" start -a "$(head -c 12 id)" >out || code=$?
assert_equal "$code $(cat out) $(ps)" "2 here 2 box Exited (2)" "started again by the first digits of its id"
code=0 && "$MYBUILD" run --name box image 2>log || code=$?
assert_equal $code 125 "a second container of the name" && assert_log "name box is in use"
code=0 && "$MYBUILD" run --name other -i image no-such-program 2>log || code=$?
assert_equal "$code $(ps --filter name=other)" "127 other Created" "a program that is not there"
assert_equal "$("$MYBUILD" ps -aq --no-trunc --filter name=box)" "$(cat id)" "--cidfile"
run image true && assert_equal "$(ps | wc -l)" 2 "containers after run --rm"
"$MYBUILD" rm box other >out && assert_file out $'box\nother'
assert_equal "$(ps)$(find "$MYBUILD_ROOT/containers" -mindepth 2)" "" "what rm leaves"
"$MYBUILD" run image sh -c 'read x; echo got $x' <<<typed >out && "$MYBUILD" run -i image sh -c 'read x; echo $x' <<<typed >>out
assert_file out $'got\ntyped'
"$MYBUILD" start -ai "$("$MYBUILD" ps -lq)" <<<again >out && assert_file out again
"$MYBUILD" container prune -f >out && assert_equal "$(wc -l <out) $(ps)$(tail -n 1 out)" "5 Total reclaimed space: 0B" "container prune"
