#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An OCI layout, as folder and as tar, is what skopeo, umoci, runc and crun take for an image; every blob is what it says.
. "$(dirname "$0")/lib.sh"
build -t hello -o type=oci,dest=image.tar -o type=oci,dest=layout,tar=false "$checkout/testdata/hello"
mkdir unpacked && tar -xf image.tar -C unpacked
assert_equal "$(oci_digest unpacked)" "$(oci_digest layout)" "digest of tar and folder"
(cd layout/blobs/sha256 && for blob in *; do echo "$blob  $blob"; done | sha256sum --quiet -c) || fail "a blob is not its digest"
skopeo inspect oci-archive:image.tar >log || fail "skopeo inspect"
assert_equal "$(jq -r '.Labels["org.opencontainers.image.title"]' log)" hello label
skopeo copy -q oci-archive:image.tar dir:copied || fail "skopeo copy"
paste <(manifest_of layout | jq -r '.layers[].digest') <(config_of layout | jq -r '.rootfs.diff_ids[]') |
  while read -r digest diff_id; do
    assert_equal "sha256:$(blob layout "$digest" | gzip -dc | sha256sum | cut -d' ' -f1)" "$diff_id" "diff id"
  done

tag=$(jq -r '.manifests[0].annotations["org.opencontainers.image.ref.name"]' layout/index.json)
umoci unpack --image "layout:$tag" bundle >log 2>&1 || fail "umoci unpack"
jq '.process.terminal = false | del(.linux.resources, .process.rlimits)' bundle/config.json >config && cp config bundle/config.json
# crun refuses to see both generations of cgroups.
one_cgroup='umount /sys/fs/cgroup/unified 2>/dev/null; exec "$@"'
for runtime in crun runc; do
  (cd bundle && unshare --mount sh -c "$one_cgroup" - $runtime --root "$work/$runtime" run "e2e-$$") >out 2>log || fail "$runtime run"
  assert_equal "$(sed -n 2p out)" "hello, world" "what $runtime's container printed"
done
