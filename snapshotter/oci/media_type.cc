// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/oci/media_type.h"

namespace mybuild::oci {

bool is_index(std::string_view media_type) {
  return media_type == kMediaTypeIndex || media_type == kDockerMediaTypeIndex;
}

bool is_manifest(std::string_view media_type) {
  return media_type == kMediaTypeManifest || media_type == kDockerMediaTypeManifest;
}

bool is_uncompressed_layer(std::string_view media_type) {
  return media_type == kMediaTypeLayer || media_type == kDockerMediaTypeLayer;
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
