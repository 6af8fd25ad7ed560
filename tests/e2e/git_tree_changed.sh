#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Somebody cuts the Dockerfile, then a source, of a commit that was checked out: neither is built from, the commit is checked out again.
. "$(dirname "$0")/lib.sh"
git init -q repo && mkdir repo/data && echo one >repo/data/f
printf 'FROM busybox\nCOPY data /data\nRUN cat /data/f >/sum\n' >repo/Dockerfile
git -C repo add -A && git -C repo -c user.name=n -c user.email=e commit -qm all
branch=$(git -C repo branch --show-current)
build_tree "file://$work/repo#$branch" && assert_file out/sum one
for file in Dockerfile data/f; do
  path=$(ls "$MYBUILD_ROOT"/layers/*/fs/$file | head -n 1)
  truncate -s 20 "$path"
  build_tree "file://$work/repo#$branch" && assert_file out/sum one
done
"$MYBUILD" fsck >log 2>&1 || fail "the store afterwards"
