#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ADD of repositories: commits pinned, directories, .git, owners and modes; the cache follows the commit.
. "$(dirname "$0")/lib.sh"
. "$support/servers.sh"
repository app && mkdir -p app/d && echo one >app/f && echo x >app/d/x && chmod 755 app/d/x && echo '*.o' >app/.gitignore
first=$(publish app) && git -C app branch old && echo two >app/f && second=$(publish app)
start_git git && url=$git/app.git
add() { printf 'FROM busybox\nARG B=old\nADD %s /o\n' "$1" | dockerfile && build_tree ctx; }
for place in "$url#old" "$url?ref=old" "$url#\$B" "$url#$first" "--checksum=$first $url#old" "--checksum=${first:0:7} $url#old" "--link $url#old"; do
  add "$place" && assert_equal "$(cat out/o/f):$(ls -A out/o | xargs):$(stat -c %A:%u:%g out/o/f out/o/d/x | xargs)" \
    "one:.gitignore d f:-rw-r--r--:0:0 -rwxr-xr-x:0:0" "$place"
done
add "$url#old:d" && assert_equal "$(ls -A out/o)" x "a subdir"
add "--exclude=d --exclude=.git* $url" && assert_equal "$(ls -A out/o)" f "--exclude"
printf 'FROM scratch\nADD --chown=7:8 --chmod=700 %s /o/\n' "$url" | dockerfile && build -o type=tar,dest=out.tar ctx
assert_equal "$(tar --numeric-owner -tvf out.tar | awk '!/^d/ { print $1, $2, $6 }' | sort | xargs)" "-rwx------ 7/8 o/.gitignore -rwx------ 7/8 o/d/x -rwx------ 7/8 o/f" "--chown"
add "--keep-git-dir $url" && assert_equal "$(cd out/o && git log --format=%H && git status --short)" "$second" "--keep-git-dir"
printf 'FROM busybox\nADD %s ctx.txt %s#old:d /o/\n' "$url" "$url" | dockerfile && echo c >ctx/ctx.txt
build_tree ctx && assert_equal "$(ls -A out/o | xargs)" ".gitignore ctx.txt d f x" "several sources"
printf 'FROM busybox\nADD %s /o\nRUN cat /o/f >/cat\n' "$url" | dockerfile && build_tree ctx && assert_file out/cat two
git -C app commit -q --allow-empty -m same && publish app >publish.log && build_tree ctx && assert_step "RUN cat" CACHED # same files
echo three >app/f && publish app >publish.log && build_tree ctx && assert_file out/cat three
refused() { printf 'FROM busybox\n%s\n' "$2" | dockerfile && build_fails ctx && assert_log "^ERROR: .*$1" && assert_log "Dockerfile:2"; }
refused nosuch "ADD $url#nosuch /" && refused nosuch "ADD $url#:nosuch /" && refused "$second|${first:0:6}" "ADD --checksum=${first:0:7}0 $url#old /"
refused checksum "ADD --checksum=sha256:$(sha256sum <log | cut -c1-64) $url /" && refused COPY "COPY $url /" && refused COPY "COPY git@github.com:x/y.git /"
refused "keep-git-dir" "ADD --keep-git-dir=false $url?keep-git-dir=1 /" && refused what "ADD $url?what=1 /" && refused ssh "ADD git@127.0.0.1:x.git /"
