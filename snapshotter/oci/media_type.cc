// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/oci/media_type.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace mybuild::oci {

namespace {

/// image-spec, "Compatibility Matrix".
constexpr std::pair<std::string_view, std::string_view> kTwins[] = {
    {kMediaTypeIndex, kDockerMediaTypeIndex},
    {kMediaTypeManifest, kDockerMediaTypeManifest},
    {kMediaTypeConfig, kDockerMediaTypeConfig},
    {kMediaTypeLayer, kDockerMediaTypeLayer},
    {kMediaTypeLayerGzip, kDockerMediaTypeLayerGzip},
    {kMediaTypeLayerZstd, kDockerMediaTypeLayerZstd},
};

/// A foreign layer that we have and write into a manifest of our own is a layer as any other.
constexpr std::pair<std::string_view, std::string_view> kForeignLayers[] = {
    {kMediaTypeForeignLayer, kMediaTypeLayer},
    {kMediaTypeForeignLayerGzip, kMediaTypeLayerGzip},
    {kMediaTypeForeignLayerZstd, kMediaTypeLayerZstd},
    {kDockerMediaTypeForeignLayerGzip, kMediaTypeLayerGzip},
};

}  // namespace

std::string_view docker_media_type(std::string_view media_type) {
  for (const auto& [ours, dockers] : kTwins) {
    if (ours == media_type) {
      return dockers;
    }
  }
  return media_type;
}

std::string_view oci_media_type(std::string_view media_type) {
  for (const auto& [ours, dockers] : kTwins) {
    if (dockers == media_type) {
      return ours;
    }
  }
  for (const auto& [foreign, layer] : kForeignLayers) {
    if (foreign == media_type) {
      return layer;
    }
  }
  return media_type;
}

bool is_index(std::string_view media_type) {
  return media_type == kMediaTypeIndex || media_type == kDockerMediaTypeIndex;
}

bool is_manifest(std::string_view media_type) {
  return media_type == kMediaTypeManifest || media_type == kDockerMediaTypeManifest;
}

bool is_uncompressed_layer(std::string_view media_type) {
  return oci_media_type(media_type) == kMediaTypeLayer;
}

bool is_foreign_layer(std::string_view media_type) {
  return std::any_of(std::begin(kForeignLayers), std::end(kForeignLayers),
                     [&](const auto& foreign) { return foreign.first == media_type; });
}

bool is_layer(std::string_view media_type) {
  const std::string_view type = oci_media_type(media_type);
  return type == kMediaTypeLayer || type == kMediaTypeLayerGzip || type == kMediaTypeLayerZstd;
}

std::string_view layer_media_type(Compression compression) {
  switch (compression) {
    case Compression::Gzip:
      return kMediaTypeLayerGzip;
    case Compression::Zstd:
      return kMediaTypeLayerZstd;
    case Compression::None:
      break;
  }
  return kMediaTypeLayer;
}

}  // namespace mybuild::oci
