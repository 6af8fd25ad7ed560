#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Submodules whose names, paths or URLs run programs, read this machine's files or write elsewhere: an error each, and nothing more.
. "$(dirname "$0")/lib.sh"
. "$support/servers.sh"
. "$support/hostile_git.sh"
start_git git
repository good && echo x >good/f && good=$(publish good)
entries=$'100644 .gitmodules modules\n100644 Dockerfile file\n160000 x commit'
n=0 && for url in "file://$work/outside/repo" "$work/outside/repo" ../../outside/repo ../../../../../../etc "localhost:/etc" -u./x \
  "ext::sh -c touch% $work/escaped" "--upload-pack=touch $work/escaped" fd::3 "ssh://-oProxyCommand=touch $work/escaped/x" \
  'git@-x:repo' "http://127.0.0.1:1/x.git?y"$'\t'"z" "$(printf 'http://x/\1')" "file:///proc/self/environ"; do
  hostile "url$((++n))" x x "$url" <<<"$entries" && refused "url$n"
done
# Where git keeps the repository of a submodule is made from its name.
n=0 && for name in ../../escaped ../../../../hooks/escaped "$work/escaped" x/../../../escaped .. ''; do
  hostile "name$((++n))" "$name" x "$git/good.git" <<<"$entries" && { (build "$git/name$n.git") 2>/dev/null || true; } && unharmed "the name $name"
done
n=0 && for path in ../../escaped "$work/escaped" l/escaped .git/hooks; do
  hostile "path$((++n))" x "$path" "$git/good.git" <<<"120000 l away"$'\n'"$entries"
  { (build "$git/path$n.git") 2>/dev/null || true; } && unharmed "the path $path"
done
# .gitmodules is a link to a file of this machine, and the submodule lies below a link.
hostile link <<<$'120000 .gitmodules away\n100644 Dockerfile file\n160000 x commit' && refused link
printf '[submodule "x"]\n\tpath = x\n\turl = %s\n[include]\n\tpath = %s\n' "$git/good.git" "$work/outside/secret" >good/.gitmodules
printf '[submodule "y"]\n\tpath = y\n\turl = ../escaped.git\n\tupdate = !touch %s/escaped\n' "$work" >>good/.gitmodules
printf 'FROM scratch\nCOPY . /\n' >good/Dockerfile && git -C good update-index --add --cacheinfo "160000,$good,x" && publish good >commits
build_tree "$git/good.git" && assert_equal "$(cat out/f)" x "what is not hostile" && unharmed include
