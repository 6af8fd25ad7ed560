#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A docker daemon pulls, loads and runs what we wrote; we load, build on and push what `docker save` wrote.
. "$(dirname "$0")/lib.sh"
. "$support/others.sh"
start_docker
start_registry
printf 'FROM busybox\nRUN echo ours >/name\nCMD cat /name\n' | dockerfile
build -t "$registry/ours:1" -o type=image,push=true ctx
id=$("$MYBUILD" inspect -f '{{.Id}}' "$registry/ours:1")
docker_ pull -q "$registry/ours:1" >log 2>&1 || fail "docker pull"
assert_equal "$(docker_ inspect -f '{{.Id}}' "$registry/ours:1")" "$id" "the image id in docker"
docker_ rmi "$registry/ours:1" >log
"$MYBUILD" save "$registry/ours:1" 2>log | docker_ load -q >out 2>log || fail "docker load"
assert_file out "Loaded image: $registry/ours:1"
docker_ run --rm --network host --ulimit nofile=1024:1024 "$registry/ours:1" >out 2>log || fail "docker run"
assert_file out ours
for field in RepoTags Config.Cmd Config.Env Architecture Os RootFS.Layers; do
  assert_equal "$("$MYBUILD" inspect -f "{{.$field}}" "$registry/ours:1")" "$(docker_ inspect -f "{{.$field}}" "$registry/ours:1")" $field
done

docker_ save -o saved.tar "$registry/ours:1"
printf 'FROM base\nRUN echo "and us" >>/name\n' | dockerfile on
export MYBUILD_ROOT=$work/fresh
build --build-context "base=oci-layout://$work/saved.tar" -t on on
assert_equal "$(run on | tr '\n' ' ')" "ours and us " "built on docker save"
"$MYBUILD" load -i saved.tar >out 2>log && assert_equal "$("$MYBUILD" inspect -f '{{.Id}}' "$registry/ours:1")" "$id" "loaded"
"$MYBUILD" tag "$registry/ours:1" "$registry/again:1" && "$MYBUILD" push "$registry/again:1" >out 2>log || fail "push"
assert_equal "$(skopeo inspect --raw --tls-verify=false "docker://$registry/again:1" | jq -r '[.layers[].mediaType] | unique | join(" ")')" \
  application/vnd.oci.image.layer.v1.tar+gzip "plain layers are pushed compressed"
