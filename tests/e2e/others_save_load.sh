#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# save and load: several images in one archive, through a file or a pipe, with their ids; archives of others, compressed too.
. "$(dirname "$0")/lib.sh"
printf 'FROM busybox\nRUN echo one >/name\n' | dockerfile one && build -t app:1 -t app:one one
printf 'FROM busybox\nRUN echo two >/name\n' | dockerfile two && build -t app:2 two
ids=$("$MYBUILD" images --no-trunc --format '{{.Repository}}:{{.Tag}} {{.ID}}' | sort)
"$MYBUILD" save -o all.tar app 2>log || fail "save"
"$MYBUILD" save app:2 2>log | gzip >two.tar.gz
assert_equal "$(tar -xOf all.tar manifest.json | jq -r '[.[].RepoTags[]] | sort | join(" ")')" "app:1 app:2 app:one" "names in the archive"
skopeo inspect docker-archive:all.tar:app:one >out || fail "skopeo inspect"
export MYBUILD_ROOT=$work/fresh
"$MYBUILD" load -i two.tar.gz >out 2>log || fail "load of a compressed archive"
assert_file out "Loaded image: app:2"
"$MYBUILD" load <all.tar >out 2>log || fail "load from a file as input"
cat all.tar | "$MYBUILD" load -q >out 2>log || fail "load from a pipe"
assert_equal "$(sort out | tr '\n' ' ')" "Loaded image: app:1 Loaded image: app:2 Loaded image: app:one " "what load says"
assert_equal "$("$MYBUILD" images --no-trunc --format '{{.Repository}}:{{.Tag}} {{.ID}}' | sort)" "$ids" "the same images"
assert_equal "$(run app:one cat /name)$(run app:2 cat /name)" onetwo "they run"

skopeo copy -q docker-archive:all.tar:app:1 oci-archive:plain.tar && "$MYBUILD" load -i plain.tar >out 2>log || fail "an OCI archive"
grep -q "Loaded image ID: sha256:" out || fail "an image without a name"
for bad in /dev/null ctx one/Dockerfile; do
  ! "$MYBUILD" load -i $bad >out 2>log || fail "load of $bad works"
done
head -c 100000 all.tar >cut.tar && rm -rf "$MYBUILD_ROOT" && ! "$MYBUILD" load -i cut.tar >out 2>log || fail "load of half an archive works"
assert_equal "$("$MYBUILD" images -q)" "" "images after a failed load"
