#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# buildah and podman take what we wrote, from a registry, an archive and a layout, build on it and run it (with runc, and with
# crun where only one generation of cgroups is mounted).
. "$(dirname "$0")/lib.sh"
. "$support/others.sh"
start_registry
printf 'FROM busybox\nRUN echo "made by us" >/by && ln -s by /link && mkfifo /pipe\nUSER 7:8\nENV A=b\nCMD cat /link && id -u && echo $A\n' | dockerfile
build -t "$registry/ours:1" -o type=image,push=true -o type=oci,dest=ours.oci ctx
"$MYBUILD" save -o ours.tar "$registry/ours:1" 2>log || fail "save"
printf 'made by us\n7\nb\n' >expected

buildah_ from --tls-verify=false --name c1 "docker://$registry/ours:1" >log 2>&1 || fail "buildah from a registry"
buildah_ from --name c2 "docker-archive:ours.tar" >log 2>&1 || fail "buildah from an archive"
buildah_ from --name c3 "oci-archive:ours.oci" >log 2>&1 || fail "buildah from an OCI archive"
for container in c1 c2 c3; do
  assert_equal "$(buildah_ run --isolation chroot $container cat /by)" "made by us" "what buildah runs"
done
podman_ load -q -i ours.tar >log 2>&1 || fail "podman load"
podman_ run --rm --network host "$registry/ours:1" >out 2>log || fail "podman run with runc"
assert_file out "$(cat expected)"
with_one_cgroup podman_ --runtime crun run --rm --network host "$registry/ours:1" >out 2>log || fail "podman run with crun"
assert_file out "$(cat expected)"
assert_equal "$(podman_ inspect "$registry/ours:1" | jq -r '.[0].Id')" \
  "$("$MYBUILD" inspect -f '{{.Id}}' "$registry/ours:1" | cut -d: -f2)" "the image id in podman"
