#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# .dockerignore keeps files out of the context: they are neither copied nor a reason to run anything again.
. "$(dirname "$0")/lib.sh"

printf 'FROM scratch\nCOPY . /\n' | dockerfile
printf '# a comment\n*.log\n!keep.log\nbuild/\n**/*.tmp\nsecret*\nDockerfile\n.dockerignore\n' >ctx/.dockerignore
mkdir -p ctx/build ctx/src/deep
touch ctx/{a.log,keep.log,src/b.log,build/x,src/deep/c.tmp,src/deep/c.txt,secret.key,plain}
build_tree ctx
assert_equal "$(cd out && find . -type f | sort | tr '\n' ' ')" "./keep.log ./plain ./src/b.log ./src/deep/c.txt " "files"
echo more >ctx/a.log && echo more >ctx/secret.key
build ctx
assert_step "COPY" CACHED

# The file beside a Dockerfile of another name wins.
cp ctx/Dockerfile ctx/Other
printf '*\n!plain\n' >ctx/Other.dockerignore
build_tree -f ctx/Other ctx
assert_equal "$(ls -A out)" plain "with Other.dockerignore"
# What is ignored cannot be copied by name.
printf 'FROM scratch\nCOPY secret.key /\n' | dockerfile
build_fails ctx
assert_log "secret.key"
