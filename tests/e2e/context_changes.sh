#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout=300
# A context that somebody writes to while it is read: what is built was there at one time, or the build fails and names the file.
. "$(dirname "$0")/lib.sh"
printf 'FROM busybox\nCOPY . /in/\n' | dockerfile && mkdir -p outside ctx/dir && echo secret >outside/secret && echo mine >ctx/dir/secret
meanwhile() { # PROGRAM COMMAND…: runs the command while the Python program repeats itself in ctx
  (cd ctx && exec python3 -c $'import os\nwhile True:\n '"${1//$'\n'/$'\n '}") 2>writer.log &
  processes+=($!) && "${@:2}"
  kill -0 $! 2>/dev/null || fail "the writer ended: $(cat writer.log)"
  kill $! && wait $! 2>/dev/null || true
}
attempts() { # NAMES: builds a few times; each gives one state of the files as a whole, or an error that names one
  for try in 1 2 3 4 5; do
    start=$SECONDS status=0 && rm -rf out
    "$MYBUILD" build --progress plain "${busybox[@]}" -o type=local,dest=out ctx >log 2>&1 || status=$?
    assert_below $((SECONDS - start)) 30 "seconds of a build"
    if [ $status != 0 ]; then assert_log "^ERROR: .*$1"; else check_result; fi
  done
}
check_result() { { cat out/in/big 2>/dev/null || true; } | tr -s abc >kinds; [ "$(wc -c <kinds)" -le $parts ] || fail "torn: $(head -c 20 kinds)"; }
head -c 32000000 /dev/zero | tr '\0' a >ctx/big
parts=2 # written from the front, so that at any time it is new up to a place and old from there on
meanwhile $'for c in b"a", b"b":\n with open("big", "r+b") as f:\n  for i in range(32): f.write(c * 1000000)' attempts big
parts=1 && tr ab c <ctx/big >ctx/was && mv ctx/was ctx/big
meanwhile $'with open("big", "wb") as f:\n for i in range(40): f.write(b"c" * 1000000)' attempts big # cut off, then growing
meanwhile $'for c in b"a", b"b":\n with open("new", "wb") as f: f.write(c * 9000000)\n os.rename("new", "big")\nos.remove("big")' attempts '(big|new)'
# A directory that becomes a link out of the context: nothing from there comes in.
check_result() { ! grep -rq secret out/in 2>/dev/null || fail "a file from outside the context"; }
meanwhile $'os.rename("dir", "was"); os.symlink("../outside", "dir"); os.remove("dir"); os.rename("was", "dir")' attempts '(dir|was)'
