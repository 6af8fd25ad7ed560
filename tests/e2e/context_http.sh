#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A context or a Dockerfile behind a URL, from nginx: archives are unpacked, a text is the Dockerfile and the file `context`.
. "$(dirname "$0")/lib.sh"
. "$support/servers.sh"
mkdir -p www src/dir && echo dir >src/.dockerignore && echo x >src/dir/x && echo hi >src/a && chown 12:34 src/a
printf 'FROM scratch\nCOPY . /\n' >src/Dockerfile && printf 'FROM scratch\nCOPY a /only\n' >src/Other && cp src/Dockerfile www/text
tar -cf www/plain -C src . && gzip <www/plain >www/archive.gz && bzip2 <www/plain >www/b && xz <www/plain >www/x && zstd -q <www/plain >www/z
touch -d @981173106 www/* && echo '<html>' >www/page && : >www/empty
start_web web www <<'C'
location /away { return 302 /plain; }
location /loop { return 302 /loop; }
C
for name in plain archive.gz b x z 'away?to=there' 'plain#fragment'; do
  build_tree "$web/$name" && assert_equal "$(ls -A out | xargs):$(cat out/dir/x)" ".dockerignore Dockerfile Other a dir:x" "$name"
done
build -o type=tar,dest=out.tar "$web/plain" && assert_equal "$(tar --numeric-owner -tvf out.tar | awk '$6 == "a" { print $2 }')" 12/34 owners
build -o type=tar,dest=out.tar "$web/text?a=b"
assert_equal "$(TZ=UTC tar --numeric-owner --full-time -tvf out.tar | xargs)" "-rw------- 0/0 22 2001-02-03 04:05:06 context" "a text"
build_tree -f Other "$web/plain" && assert_equal "$(ls out)" only "-f in the archive"
build_tree -f "$web/text" src && assert_equal "$(ls -A out | xargs)" ".dockerignore Dockerfile Other a" "-f URL and a directory"
build_tree -f - "$web/plain" <src/Other && assert_equal "$(ls out)" only "-f - and a URL"
build_tree -f "$web/text" - <www/archive.gz && assert_equal "$(cat out/dir/x)" x "-f URL and an archive on stdin"
: >web.requests && build --no-cache "$web/plain" && assert_equal "$(cut -d' ' -f2,3 web.requests)" "/plain 304" "asked again"
echo 'COPY . /more/' >>www/text && build_tree "$web/text" && assert_equal "$(ls out | xargs)" "context more" "a changed text"
refused() { build_fails "${@:2}" && assert_log "^ERROR: .*$1"; }
refused 'none.*404' "$web/none"
refused 'none.*404' -f "$web/none" src
refused 'loop.*redirect' "$web/loop" && assert_below "$(grep -c /loop web.requests)" 40 "redirects"
refused 'unknown instruction: <html>' "$web/page" && refused '(empty|nothing)' "$web/empty" && refused nosuch -f nosuch "$web/plain"
