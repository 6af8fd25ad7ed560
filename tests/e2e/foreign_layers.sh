#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A foreign layer that the registry has is one as any other, and its manifest stays as it is; images for another system are refused by name.
. "$(dirname "$0")/lib.sh"
start_registry
put() { # FOLDER TYPE: the document of stdin as a blob; its descriptor
  cat >new && cp new "$1/blobs/sha256/$(sha256sum new | cut -d' ' -f1)"
  printf '{"mediaType":"%s","digest":"sha256:%s","size":%s}' "$2" "$(sha256sum new | cut -d' ' -f1)" "$(stat -c %s new)"
}
variant() { # NAME CONFIG-FILTER MANIFEST-FILTER: the base with other documents, in the registry
  cp -r "$bases/busybox" "$1"
  config=$(config_of "$bases/busybox" | jq -c "$2" | put "$1" application/vnd.oci.image.config.v1+json)
  manifest_of "$bases/busybox" | jq -c ".config = $config | $3" | put "$1" application/vnd.oci.image.manifest.v1+json >line
  jq -c --slurpfile line line '.manifests = [$line[0] + {annotations: {"org.opencontainers.image.ref.name": "latest"}}]' "$bases/busybox/index.json" >"$1/index.json"
  push "$1" "$1:1"
}
raw() { skopeo inspect --raw --tls-verify=false "docker://$registry/$1"; }
foreign=application/vnd.oci.image.layer.nondistributable.v1.tar+gzip
variant foreign . ".layers[0].mediaType = \"$foreign\"" && assert_equal "$(raw foreign:1 | jq -r '.layers[0].mediaType')" $foreign "in the registry"
assert_equal "$(run "$registry/foreign:1" echo runs 2>log)" runs "the image"
"$MYBUILD" tag "$registry/foreign:1" "$registry/copy:1" && "$MYBUILD" push "$registry/copy:1" >out 2>log || fail "push"
assert_equal "$(raw copy:1 | sha256sum)" "$(raw foreign:1 | sha256sum)" "the manifest after a push"
printf 'FROM %s/foreign:1\nRUN true\n' "$registry" | dockerfile && build --push -t "$registry/built:1" ctx
assert_equal "$(raw built:1 | jq -r '.layers[0].mediaType')" application/vnd.oci.image.layer.v1.tar+gzip "what we write ourselves"
variant windows '.os = "windows"' .
for verb in pull "run --rm" "pull --platform windows/amd64"; do
  ! "$MYBUILD" $verb "$registry/windows:1" >log 2>&1 && assert_log 'image operating system "windows" cannot be used on this platform' || fail "$verb"
done
