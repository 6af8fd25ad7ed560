#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# --build-context with repositories and URLs: FROM, COPY --from and mounts of them; stages and images that they stand in for.
. "$(dirname "$0")/lib.sh"
. "$support/servers.sh"
repository app && mkdir -p app/d && echo one >app/f && echo d >app/d/x && echo f >app/.dockerignore && publish app >publish.log
mkdir www && tar -cf www/t.tar app/f && echo text >www/text && chmod 644 www/* && touch -d @981173106 www/*
start_git git
start_web web www <<<''
named() { build_tree --build-context "n=$1" "${@:2}" ctx; }
dockerfile <<'D'
FROM busybox
COPY --from=n . /copied/
RUN --mount=from=n,target=/m ls -A /m >/listed
D
named "$git/app.git" && assert_equal "$(ls -A out/copied | xargs):$(xargs <out/listed)" ".dockerignore d f:.dockerignore d f" "a repository"
named "$git/app.git#main:d" && assert_equal "$(ls -A out/copied)" x "a directory of a repository"
named "$git/app.git?keep-git-dir=1" && [ -f out/copied/.git/HEAD ] || fail ".git was asked for"
named "$git/app.git" --build-arg BUILDKIT_CONTEXT_KEEP_GIT_DIR=1 && [ ! -e out/copied/.git ] || fail ".git of a named context"
for name in t.tar text; do # whatever it is: one file
  named "$web/$name" && assert_equal "$(cd out/copied && stat -c '%n:%a:%Y' *)" "context:600:981173106" "$name"
  cmp "www/$name" out/copied/context || fail "$name changed on the way"
done
printf 'FROM n AS a\nFROM a\nCOPY --from=a f /g\n' | dockerfile
named "$git/app.git" && assert_equal "$(ls -A out | xargs)" ".dockerignore d f g" "FROM a repository"
printf 'FROM busybox AS n\nRUN false\nFROM scratch\nCOPY --from=n f /\nCOPY --from=docker.io/library/i:1 context /\n' | dockerfile
build_tree --build-context "n=$git/app.git" --build-context "i:1=$web/text" ctx && assert_equal "$(cat out/f out/context | xargs)" "one text" "overriding"
refused() { build_fails --build-context "n=$2" ctx && assert_log "^ERROR: .*$1"; }
printf 'FROM scratch\nCOPY --from=n f /\n' | dockerfile && refused nosuch "$git/app.git#nosuch"
refused 404 "$web/none" && refused nosuch nosuch && refused '' "http://127.0.0.1:1/x"
