#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Git repositories as contexts, from git http-backend: every way to name a commit and a directory in it.
. "$(dirname "$0")/lib.sh"
. "$support/servers.sh"
repository app && mkdir -p app/d/e && cd app
printf 'FROM scratch\nCOPY . /\n' | tee Dockerfile >d/Dockerfile && printf 'FROM scratch\nCOPY f /only\n' >Other && echo f >.dockerignore
echo one >f && ln -s f link && echo x >d/e/x && chmod 755 d/e/x && printf '*.txt eol=crlf\n' >.gitattributes && printf 'a\n' >t.txt && cd ..
old=$(publish app) && git -C app tag v1 && git -C app tag -am x v1a && git -C app branch old && git -C app branch feat/x
echo two >app/f && middle=$(publish app) && echo three >app/f && new=$(publish app)
start_git git
url=$git/app.git
says() { local place; for place in "${@:2}"; do build_tree "$place" && assert_equal "$(cat out/f)" "$1" "$place"; done; }
says three "$url" "$url#" "$url#main" "$url#:../" "$url?branch=main" "$url?commit=${new:0:8}"
says one "$url#old" "$url#v1" "$url#v1a" "$url#feat/x" "$url#refs/heads/old" "$url#tags/v1" "$url?tag=v1" "$url?ref=old&commit=$old" "$url#$old"
says two "$url#$middle" "$url?ref=$middle"
assert_equal "$(cd out && stat -c '%n:%A:%u' .dockerignore d/e d/e/x link | xargs):$(od -An -tx1 <out/t.txt | xargs)" \
  ".dockerignore:-rw-r--r--:0 d/e:drwxr-xr-x:0 d/e/x:-rwxr-xr-x:0 link:lrwxrwxrwx:0:61 0d 0a" "files"
[ ! -e out/.git ] || fail ".git is there"
for place in "$url#:d" "$url#old:d" "$url#:/d/" "$url?ref=old&subdir=d" "$url?subdir=d#old"; do
  build_tree "$place" && assert_equal "$(ls out | xargs)" "Dockerfile e" "$place"
done
build_tree -f Other "$url" && assert_equal "$(cat out/only)" three "-f"
build_tree -f "$PWD/app/Other" "$url#old" && assert_equal "$(cat out/only)" one "-f of the client"
asked=$(git_requests "$git") && build --no-cache "$url#$old" && assert_equal "$(git_requests "$git")" "$asked" "requests for a commit that is here"
build_tree --build-arg BUILDKIT_CONTEXT_KEEP_GIT_DIR=1 "$url#old" && build_tree "$url?keep-git-dir=1#old"
assert_equal "$(cd out && git log --format=%H && git status --short && git remote get-url origin)" "$old"$'\n'"$url" ".git"
refused() { build_fails "${@:2}" && assert_log "^ERROR: .*$1"; }
refused nosuch "$url#nosuch" && refused nosuch "$url#:nosuch" && refused nosuch.git "$git/nosuch.git" && refused conflict "$url?ref=old#main"
refused "${old:0:8}" "$url?commit=${old:0:8}" && refused '(ref|-x)' "$url#-x" && refused "what" "$url?what=1" && refused link "$url#:link"
