#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A changed file with the size and the mtime it had is a miss; what stat(2) cannot show, --context-verify=full sees.
. "$(dirname "$0")/lib.sh"
printf 'FROM busybox\nCOPY dir /dir\nRUN cat /dir/* >/all\n' | dockerfile && mkdir ctx/dir
write() { printf %s "$2" >"$1" && touch -d 2001-02-03T04:05:06.7 "$1"; }
write ctx/dir/a one && write ctx/dir/b same && sleep 0.3
build -t image ctx && build -t image ctx && assert_step "COPY dir" CACHED
write ctx/dir/a two
build -t image ctx
assert_step "COPY dir" DONE
assert_equal "$(run image cat /all)" twosame
write other six && mv other ctx/dir/a # another file under the name
build -t image ctx
assert_equal "$(run image cat /all)" sixsame
sleep 0.3 && touch ctx/dir/b && build -t image ctx # other times, nothing else
assert_step "COPY dir" CACHED
# Writes through a mapping that is dirty already are not shown by stat(2).
mapped=$'import mmap, sys\nf = open("ctx/dir/a", "r+b"); m = mmap.mmap(f.fileno(), 3)\nfor line in sys.stdin: m[0:3] = line[0:3].encode(); print(flush=True)'
coproc writer { exec python3 -c "$mapped"; }
say() { echo "$1" >&"${writer[1]}" && read -r _ <&"${writer[0]}"; }
say six && sleep 0.3 && build -t image ctx && say ten
build --context-verify=full -t image ctx
assert_step "COPY dir" DONE
assert_equal "$(run image cat /all)" tensame
kill "$writer_PID"
for damage in "head -c 5000" "tr a-m n-z" "cat /dev/null"; do
  $damage <"$MYBUILD_ROOT/stat-index" >index && cp index "$MYBUILD_ROOT/stat-index"
  build -t image ctx && assert_step "COPY dir" CACHED && assert_equal "$(run image cat /all)" tensame "after $damage"
done
