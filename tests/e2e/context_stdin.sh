#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `-` as the context: an archive, however compressed, as it is; or a Dockerfile without any files. `-f` beside it.
. "$(dirname "$0")/lib.sh"
mkdir -p src/dir && cd src
printf 'FROM scratch\nCOPY . /\n' >Dockerfile && printf 'FROM scratch\nCOPY a /only\n' >Other && echo dir >.dockerignore
echo hi >a && ln a hard && ln -s a sym && mkfifo fifo && mknod dev c 1 3 && echo x >dir/x
chown 12:34 a && chown 5:6 dir && chmod 4711 dir && touch -d @981173106 a && cd ..
for format in gnu ustar pax; do tar --format=$format -cf t.$format -C src .; done
gzip <t.pax >t.gz && bzip2 <t.pax >t.bz2 && xz <t.pax >t.xz && zstd -q <t.pax >t.zst
for archive in t.*; do
  build -o type=tar,dest=out.tar - <"$archive" && rm -rf out && mkdir out && tar --numeric-owner -xpf out.tar -C out
  assert_equal "$(cd out && stat -c '%n:%a:%u:%g:%F' dev dir fifo sym | xargs)" \
    "dev:644:0:0:character special file dir:4711:5:6:directory fifo:644:0:0:fifo sym:777:0:0:symbolic link" "$archive"
  assert_equal "$(cd out && stat -c '%a:%u:%g:%Y:%h' a):$(ls -A out | xargs)" \
    "644:12:34:981173106:2:.dockerignore Dockerfile Other a dev dir fifo hard sym" "$archive"
  assert_file out/dir/x x # what .dockerignore says is for directories of the client only
done
for name in Other ./Other; do build_tree -f "$name" - <t.gz && assert_equal "$(ls out)" only "-f $name"; done
build_tree - <<<$'FROM busybox\nCOPY . /ctx/\n' && assert_equal "$(ls -A out/ctx)" "" "the context of a Dockerfile alone"
build_tree -f - src <<<$'FROM scratch\nCOPY a Dockerfile /\n' && assert_equal "$(ls out | xargs)" "Dockerfile a" "-f -"
refused() { build_fails "${@:2}" && assert_log "^ERROR: .*$1"; }
refused 'nosuch' -f nosuch - <t.gz
refused 'Dockerfile' -f Other - <src/Dockerfile
refused 'stdin' -f - - <t.gz
refused '(empty|nothing)' - </dev/null
refused 'unknown instruction: hello' - <<<hello
head -c 200 t.gz >short.gz && refused '' - <short.gz
