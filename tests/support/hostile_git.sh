# SPDX-License-Identifier: Apache-2.0
# Sourced after lib.sh and servers.sh: repositories that no git would make, in the folder git, and what must not come of them.
mkdir outside && echo secret >outside/secret && git init -q outside/repo && git -C outside/repo commit -q --allow-empty -m x

# hostile NAME [SUBMODULE PATH URL] <<ENTRIES: a commit of a tree with the entries "MODE NAME OBJECT", a line each, in the bare
# repository git/NAME.git. NAME may have escapes of printf. OBJECT: file (a Dockerfile), inner (a directory with an executable
# file `escaped`), away (as a link: to the folder outside), modules (a .gitmodules), commit (one of outside/repo).
hostile() {
  local file hook away inner modules commit mode name object
  git init -q --bare "git/$1.git" && cd "git/$1.git"
  file=$(printf 'FROM scratch\nCOPY . /\n' | git hash-object -w --stdin)
  hook=$(printf '#!/bin/sh\ntouch %s/escaped\n' "$work" | git hash-object -w --stdin)
  inner=$(printf '100755 blob %s\tescaped\n' "$hook" | git mktree)
  away=$(printf %s "$work/outside" | git hash-object -w --stdin)
  modules=$(printf '[submodule "%s"]\n\tpath = %s\n\turl = %s\n' "${2:-x}" "${3:-x}" "${4:-x}" | git hash-object -w --stdin)
  commit=$(git -C "$work/outside/repo" rev-parse HEAD)
  while read -r mode name object; do
    printf '%s %b\0' "$mode" "$name"
    printf "$(sed 's/../\\x&/g' <<<"${!object}")"
  done >tree
  git update-ref refs/heads/main "$(git commit-tree -m x "$(git hash-object --literally -t tree -w tree)")"
  cd "$work"
}
# refused NAME [SUFFIX]: building that repository is an error, and harmless.
refused() { build_fails "$git/$1.git${2:-}" && unharmed "$1"; }
# unharmed WHAT: no file was made where it was not meant to be, and none of this machine is in the store or in a result.
unharmed() {
  assert_equal "$(find "$work" /tmp /run /etc /root -xdev -name 'escaped*' 2>/dev/null)$(ls -A outside | xargs)" "repo secret" "after $1"
  ! grep -rqs '^secret' "$MYBUILD_ROOT" out || fail "$1 read a file of this machine"
}
