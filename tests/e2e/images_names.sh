#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Names, formats and templates: tag moves names, inspect and images render as docker does, bad templates are refused.
. "$(dirname "$0")/lib.sh"
printf 'FROM busybox\nENV A=b\nLABEL x.y=z\nCMD ["sh", "-c", "true"]\n' | dockerfile && build -t app:1 ctx
printf 'FROM busybox\nCMD ["other"]\n' | dockerfile other && build -t app:2 other
inspect() { "$MYBUILD" inspect "$@"; }
"$MYBUILD" tag app:1 registry.example/team/app:new && "$MYBUILD" tag app:1 moved && "$MYBUILD" tag app:2 moved
assert_equal "$(inspect -f '{{.Id}}' moved)" "$(inspect -f '{{.Id}}' app:2)" "a name that moved"
assert_equal "$(inspect -f '{{join .RepoTags " "}}' app:1)" "app:1 registry.example/team/app:new" RepoTags
assert_equal "$(inspect -f '{{.Config.Cmd}}' app:1)" "[sh -c true]" Cmd
assert_equal "$(inspect -f '{{index .Config.Labels "x.y"}} {{json .Config.Env | len}}' app:1 | cut -d' ' -f1)" z Labels
assert_equal "$(inspect -f '{{range .Config.Env}}{{.}};{{end}}' app:1 | grep -o 'A=b;')" "A=b;" Env
inspect app:1 | jq -e '.[0] | .Id and .RepoTags and .Created and .Size > 1000000 and .Architecture and .Os == "linux" and
  (.RootFS.Layers | length) == 1' >log || fail "fields of inspect"
id=$(inspect -f '{{.Id}}' app:1 | cut -d: -f2)
assert_equal "$(inspect -f '{{.Os}}' "${id:0:12}")" linux "inspect by id"
for template in '{{.Nope}}' '{{.Id' '{{nope .Id}}'; do
  ! inspect -f "$template" app:1 >log 2>&1 && grep -q "format template" log || fail "$template"
done
assert_equal "$("$MYBUILD" images --format '{{.Repository}}:{{.Tag}}' | sort | tr '\n' ' ')" \
  "app:1 app:2 moved:latest registry.example/team/app:new " "images --format"
"$MYBUILD" images | head -n 1 | grep -qE '^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE$' || fail "the heading"
"$MYBUILD" rmi moved app:2 >out && assert_equal "$(sed -n 1p out)" "Untagged: moved:latest" rmi
! "$MYBUILD" tag app:2 x >log 2>&1 && grep -q "no such image: app:2" log || fail "tag of what is gone"
