#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Push: each blob once, nothing again, a base of the same registry by mount; what arrives is what other tools read.
. "$(dirname "$0")/lib.sh"
start_registry
push "$bases/busybox" base:1
sent() { grep -cE '"PUT /v2/[^"]*/blobs/uploads/.* 201' registry.log || true; }
printf 'FROM %s/base:1\nRUN echo one >/one\nCOPY two /two\n' "$registry" | dockerfile && echo 2 >ctx/two
base_blobs=$(sent)
build -t "$registry/team/app:1" ctx
"$MYBUILD" push "$registry/team/app:1" >out 2>log || fail "push"
assert_log "mounted sha256:.* from base"
assert_equal $(($(sent) - base_blobs)) 3 "blobs sent: two layers and a config"
digest=$(skopeo inspect --raw --tls-verify=false "docker://$registry/team/app:1" | sha256sum | cut -d' ' -f1)
assert_file out "1: digest: sha256:$digest size: $(stat -c %s registry/docker/registry/v2/blobs/sha256/*/"$digest"/data)"
skopeo copy -q --src-tls-verify=false "docker://$registry/team/app:1" oci:copied:1 || fail "skopeo copy"
assert_equal "$("$MYBUILD" inspect -f '{{index .RepoDigests 0}}' "$registry/team/app:1")" "$registry/team/app@sha256:$digest" RepoDigests

before=$(sent)
"$MYBUILD" push "$registry/team/app:1" >out 2>log && grep -q "sha256:$digest" out || fail "push again"
"$MYBUILD" tag "$registry/team/app:1" "$registry/other/name:2" && "$MYBUILD" push -q "$registry/other/name:2" >out 2>log
assert_file out "$registry/other/name:2"
assert_equal "$(sent)" "$before" "blobs sent by pushing the same again, and elsewhere in the registry"
echo changed >ctx/two
build --push -t "$registry/team/app:2" --metadata-file meta ctx
assert_equal "$(sent)" $((before + 2)) "a changed file sends its layer and the config"
assert_equal "$(jq -r '."containerimage.digest"' meta | cut -d: -f2)" \
  "$(skopeo inspect --raw --tls-verify=false "docker://$registry/team/app:2" | sha256sum | cut -d' ' -f1)" "the metadata file"
