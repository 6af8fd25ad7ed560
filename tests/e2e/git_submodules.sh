#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Submodules: relative and absolute URLs, nested, left out on demand, and what is wrong with them said by their path.
. "$(dirname "$0")/lib.sh"
. "$support/servers.sh"
for name in inner lib app; do repository $name && echo $name >$name/f; done
start_git git
start_git elsewhere
link() { git -C "$1" -c protocol.file.allow=always submodule --quiet add --force --name "$2" "$3" "$2" 2>>git.out && publish "$1"; }
commit=$(publish inner) && link lib deep ../inner.git >commits
printf 'FROM scratch\nCOPY . /\n' >app/Dockerfile && link app sub/one ../lib.git >>commits && link app two "$elsewhere/inner.git" >>commits
url=$git/app.git
build_tree "$url"
assert_equal "$(cd out && cat f sub/one/f sub/one/deep/f two/f | xargs)" "app lib inner inner" "submodules"
assert_equal "$(find out -name .git)" "" "pointers to repositories that are not there"
build_tree "$url?submodules=0#main" && assert_equal "$(ls -A out/sub/one out/two | xargs)" "out/sub/one: out/two:" "none of them"
build_tree -f "$PWD/app/Dockerfile" "$url#:sub" && assert_file out/one/deep/f inner # submodules below a subdir
printf 'FROM scratch\nADD %s /o/\n' "$url" | dockerfile && build_tree ctx && assert_file out/o/sub/one/deep/f inner
build_tree "$url?keep-git-dir=1" && assert_equal "$(cd out && git log -1 --format=%s && cat two/f)" "change"$'\n'inner ".git and submodules"
echo newer >inner/f && publish inner >>commits && build_tree "$url" && assert_file out/two/f inner # its branch moved, not its commit
git -C app/two fetch -q ../../git/inner.git main && git -C app/two checkout -q FETCH_HEAD && publish app >>commits
build_tree "$url" && assert_file out/two/f newer
wrong() { # ERROR URL: of the submodule two
  git -C app config -f .gitmodules submodule.two.url "$2" && publish app >>commits
  build_fails "$url" && assert_log "^ERROR: .*$1"
}
wrong 'two.*nosuch' ../nosuch.git
wrong 'two.*lib' ../lib.git # which has no such commit
git -C app rm -q --cached .gitmodules && rm app/.gitmodules && publish app >>commits
build_fails "$url" && assert_log '^ERROR: .*(two|sub/one)' && assert_log '^hint: ' && build_tree "$url?submodules=0"
