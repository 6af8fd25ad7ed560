#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Trees and refs that want to be written elsewhere, or over git's own files: an error each, and nothing is written.
. "$(dirname "$0")/lib.sh"
. "$support/servers.sh"
. "$support/hostile_git.sh"
start_git git
n=0 && for name in .. . .git .GIT ../escaped a/../../../escaped "$work/escaped"; do
  hostile "tree$((++n))" <<<"40000 $name inner"$'\n'"100644 Dockerfile file" && refused "tree$n"
done
hostile plain <<<$'100644 ../escaped file\n100644 Dockerfile file' && refused plain
hostile device <<<$'60000 null file\n100644 Dockerfile file' && refused device
# A link and a directory of one name: what the directory holds would go where the link leads.
hostile link <<<$'120000 l away\n40000 l inner\n100644 Dockerfile file' && refused link && refused link '#:l'
hostile back <<<$'40000 l inner\n120000 l away\n100644 Dockerfile file' && refused back
# A link alone is a file as any other, and nobody follows it.
hostile alone <<<$'120000 l away\n100644 Dockerfile file' && build_tree "$git/alone.git" && unharmed alone
assert_equal "$(readlink out/l)" "$work/outside" "a link"
refused alone '#:l' && build_fails -f l/secret "$git/alone.git" && unharmed "-f through a link"
hostile dockerfile <<<$'120000 Dockerfile away' && refused dockerfile
# Names of refs as a server sends them that checks none of them.
hostile refs <<<'100644 Dockerfile file' && git -C git/refs.git update-server-info
for name in heads/../../../../escaped tags/../../escaped heads/.. 'heads/a b' heads/x.lock/escaped/.. ../escaped; do
  printf '%s\trefs/%s\n' "$(git -C git/refs.git rev-parse main)" "$name" >>git/refs.git/info/refs
done
for ref in '' '#main' '#../../../../escaped' '#heads/../../escaped' '#refs/heads/../../../../escaped'; do
  for how in dumb hostile smart; do (build "${git%smart}$how/refs.git$ref") 2>/dev/null || true; done
  unharmed "the ref $ref"
done
