#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ADD of archives that want to write elsewhere or are damaged: one error, or files inside the root; nothing else, nothing left.
. "$(dirname "$0")/lib.sh"
archive() { # NAME, then "path|type|link or text" per member
  python3 - "$@" <<'P'
import io, sys, tarfile
with tarfile.open(sys.argv[1], "w") as tar:
    for member in sys.argv[2:]:
        path, kind, text = member.split("|")
        info = tarfile.TarInfo(path)
        info.type = {"f": tarfile.REGTYPE, "s": tarfile.SYMTYPE, "h": tarfile.LNKTYPE, "c": tarfile.CHRTYPE}[kind]
        info.linkname, info.size = (text, 0) if kind in "sh" else ("", len(text))
        tar.addfile(info, io.BytesIO(text.encode()))
P
}
printf 'FROM busybox\nADD a.tar /in/\n' | dockerfile
refused() { archive ctx/a.tar "${@:2}" && build_fails ctx && assert_log "$1" && assert_log 'Dockerfile:2'; }
refused 'leads out of the archive' 'ok|f|x' '../../escaped|f|x'
refused 'hard link to etc/passwd, which is not there' 'h|h|/etc/passwd'
refused 'hard link to itself' 'h|h|h'
refused 'not a directory' 'f|f|x' 'f/x|f|x'
archive ctx/a.tar 'l|s|/etc' 'l/passwd|f|mine' 'up|s|../../../..' 'up/tmp/x|f|mine' 'p|s|/etc/group' 'p|f|mine' '/abs|f|mine'
build_tree ctx
assert_equal "$(cd out && grep -rlx mine in | sort | tr '\n' ' ')" "in/abs in/etc/passwd in/p in/tmp/x " "files written"
# Bytes are missing: an error, and no plain copy of what was meant to be unpacked.
head -c 100000 /dev/urandom >ctx/f && tar -czf ctx/a.tar -C ctx f && truncate -s 50000 ctx/a.tar
build_fails ctx
assert_log 'a.tar: gzip data ends early'
[ ! -e /tmp/escaped ] && [ ! -e escaped ] || fail "an archive wrote outside"
