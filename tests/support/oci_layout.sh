#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# oci_layout.sh OUT ROOTFS [gzip|zstd|none] [ARCH[/VARIANT][=ROOTFS]…]: packs the folder ROOTFS as an image of one layer into the
# OCI image layout OUT, under the tag "latest". Several ARCHs give an index; one without a ROOTFS of its own has
# that of the one before it. Needs no tool beyond Debian's essential ones (and zstd for zstd).
# Files belong to root and have a fixed time, so the same tree gives the same digests. KEEP_OWNERS=1 keeps owners and times.
set -euo pipefail
out=$1 rootfs=$2 compression=${3:-gzip}
architectures=("${@:4}")
[ ${#architectures[@]} -gt 0 ] || architectures=("$(dpkg --print-architecture)")
time=2023-11-14T22:13:20Z
oci=application/vnd.oci.image

digest_of() { sha256sum "$1" | cut -d' ' -f1; }

# Moves FILE to its blob and prints its descriptor, without the closing brace.
add_blob() {
  local media_type=$1 file=$2 digest size
  digest=$(digest_of "$file")
  size=$(stat -c %s "$file")
  mv "$file" "$out/blobs/sha256/$digest"
  printf '{"mediaType":"%s","digest":"sha256:%s","size":%s' "$media_type" "$digest" "$size"
}

pack_rootfs() {
  local ownership=(--owner=0 --group=0 --mtime="$time")
  [ -z "${KEEP_OWNERS:-}" ] || ownership=()
  tar --sort=name --format=posix --pax-option=delete=atime,delete=ctime --numeric-owner "${ownership[@]}" \
    -C "$1" -cf "$out/layer.tar" .
}

# add_layer ROOTFS: the layer of the images that follow.
add_layer() {
  pack_rootfs "$1"
  case $compression in
    gzip) gzip -n -1 <"$out/layer.tar" >"$out/layer" && suffix=+gzip ;;
    zstd) zstd -q -3 -c "$out/layer.tar" >"$out/layer" && suffix=+zstd ;;
    none) cp "$out/layer.tar" "$out/layer" && suffix= ;;
  esac
  diff_id=sha256:$(digest_of "$out/layer.tar")
  rm "$out/layer.tar"
  layer=$(add_blob "$oci.layer.v1.tar$suffix" "$out/layer")}
}

# What a config and a descriptor say of ARCH[/VARIANT].
platform_fields() {
  local variant=${1#"${1%%/*}"}
  printf '"architecture":"%s"%s' "${1%%/*}" "${variant:+,\"variant\":\"${variant#/}\"}"
}

# Prints the manifest's descriptor, without the closing brace.
add_image() {
  local config
  cat >"$out/draft" <<JSON
{$(platform_fields "$1"),"os":"linux","created":"$time","config":{"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Cmd":["sh"]},"rootfs":{"type":"layers","diff_ids":["$diff_id"]},"history":[{"created":"$time","created_by":"base"}]}
JSON
  config=$(add_blob $oci.config.v1+json "$out/draft")}
  printf '{"schemaVersion":2,"mediaType":"%s","config":%s,"layers":[%s]}' $oci.manifest.v1+json "$config" "$layer" >"$out/draft"
  add_blob $oci.manifest.v1+json "$out/draft"
}

add_images() {
  local each manifests=
  for each in "${architectures[@]}"; do
    [ "$each" = "${each%%=*}" ] || add_layer "${each#*=}"
    manifests+=${manifests:+,}$(add_image "${each%%=*}")
    manifests+=",\"platform\":{$(platform_fields "${each%%=*}"),\"os\":\"linux\"}}"
  done
  if [ ${#architectures[@]} -gt 1 ]; then
    printf '{"schemaVersion":2,"mediaType":"%s","manifests":[%s]}' $oci.index.v1+json "$manifests" >"$out/draft"
    manifests=$(add_blob $oci.index.v1+json "$out/draft")}
  fi
  printf '{"schemaVersion":2,"manifests":[%s,"annotations":{"org.opencontainers.image.ref.name":"latest"}}]}' \
    "${manifests%\}}" >"$out/index.json"
}

rm -rf "$out"
mkdir -p "$out/blobs/sha256"
add_layer "$rootfs"
add_images
printf '{"imageLayoutVersion":"1.0.0"}' >"$out/oci-layout"
