#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# We build on, load and run what buildah, podman and skopeo wrote: layouts and archives, gzip, zstd and plain layers.
. "$(dirname "$0")/lib.sh"
. "$support/others.sh"
container=$(buildah_ from "oci:$bases/busybox:latest" 2>log) || fail "buildah from"
buildah_ run --isolation chroot "$container" sh -c 'mkdir /dir && echo theirs >/dir/file && ln -s dir /linked && rm /bin/yes' >log 2>&1 || fail "buildah run"
buildah_ config --env WHO=buildah --cmd 'cat /linked/file' "$container"
buildah_ commit -q "$container" theirs:1 >log 2>&1 || fail "buildah commit"
buildah_ push -q theirs:1 oci:gzip:1 && buildah_ push -q --compression-format zstd theirs:1 oci:zstd:1 || fail "buildah push"
buildah_ push -q theirs:1 oci-archive:layout.tar:1 && buildah_ push -q theirs:1 docker-archive:docker.tar:theirs:1 || fail "buildah push"
podman_ save -q -o podman.tar localhost/theirs:1 && podman_ save -q --format oci-archive -o podman.oci localhost/theirs:1 || fail "podman save"
skopeo copy -q oci:gzip:1 dir:plain && skopeo copy -q --dest-decompress dir:plain oci:plain-layers:1 2>log || cp -r gzip plain-layers

printf 'FROM base\nRUN test ! -e /bin/yes && echo "$WHO and us" >/linked/more\nCMD cat /dir/file /dir/more\n' | dockerfile
for form in gzip:1 zstd:1 layout.tar docker.tar podman.tar podman.oci plain-layers:1; do
  build --build-context "base=oci-layout://$work/$form" -t "on-$form" -o type=image -o type=oci,dest=on.oci ctx
  assert_equal "$(run "on-$form" | tr '\n' ' ')" "theirs buildah and us " "built on $form"
  [ "$form" != zstd:1 ] || continue  # which Debian's umoci cannot read
  skopeo copy -q oci-archive:on.oci "oci:check:1" && umoci unpack --image check:1 bundle >log 2>&1 || fail "umoci on $form"
  assert_equal "$(cat bundle/rootfs/dir/more)" "buildah and us" "the layers on $form"
  rm -rf bundle check
done
id=$(buildah_ inspect --type image theirs:1 | jq -r .FromImageID)
for archive in docker.tar podman.tar podman.oci gzip; do
  "$MYBUILD" load -i $archive >out 2>log || fail "load $archive"
  name=$(sed -nE '1s/^Loaded image( ID)?: //p' out)
  assert_equal "$(run "$name")" theirs "$archive runs"
  assert_equal "$("$MYBUILD" inspect -f '{{.Id}}' "$name")" "sha256:$id" "the image id of $archive"
done
