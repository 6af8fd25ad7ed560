#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# On a terminal: a live line per running step with its last log lines, cached steps as a count, a closing summary.
. "$(dirname "$0")/lib.sh"

dockerfile <<'D'
FROM busybox
RUN for i in 1 2 3 4 5; do echo "line $i"; sleep 0.2; done
RUN echo end >/end
D
on_terminal() { TERM=xterm script -qec "stty cols 80 rows 24; $MYBUILD build ${busybox[*]} $* ctx" /dev/null >log </dev/null || fail "the build"; }
on_terminal
assert_log $'\e\\['
assert_log "RUN for i in"
assert_log "line 3"
assert_log "[0-9]\.[0-9]s"
on_terminal
assert_log "[Cc][Aa][Cc][Hh][Ee][Dd]"
assert_no_log "line 3"
width=$(tr '\r' '\n' <log | sed 's/\x1b\[[0-9;?]*[a-zA-Z]//g' | LC_ALL=C.UTF-8 wc -L)
assert_below "$width" 81 "columns of the widest line"
on_terminal --progress plain
assert_log "^#[0-9]+ CACHED"
# Without a terminal auto is plain, and quiet says nothing.
"$MYBUILD" build "${busybox[@]}" ctx >stdout 2>log && assert_log "^#[0-9]+ CACHED"
"$MYBUILD" build "${busybox[@]}" --progress quiet ctx >stdout 2>log && assert_file log ""
