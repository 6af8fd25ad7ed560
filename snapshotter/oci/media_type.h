// SPDX-License-Identifier: Apache-2.0
// Media types of images, OCI (image-spec media-types.md) and docker (distribution "Image Manifest V
// 2, Schema 2").
#pragma once

#include <string_view>

namespace mybuild::oci {

inline constexpr std::string_view kMediaTypeIndex = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view kMediaTypeManifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view kMediaTypeConfig = "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view kMediaTypeLayer = "application/vnd.oci.image.layer.v1.tar";
inline constexpr std::string_view kMediaTypeLayerGzip =
    "application/vnd.oci.image.layer.v1.tar+gzip";
inline constexpr std::string_view kMediaTypeLayerZstd =
    "application/vnd.oci.image.layer.v1.tar+zstd";
inline constexpr std::string_view kDockerMediaTypeIndex =
    "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr std::string_view kDockerMediaTypeManifest =
    "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view kDockerMediaTypeConfig =
    "application/vnd.docker.container.image.v1+json";
inline constexpr std::string_view kDockerMediaTypeLayer =
    "application/vnd.docker.image.rootfs.diff.tar";
inline constexpr std::string_view kDockerMediaTypeLayerGzip =
    "application/vnd.docker.image.rootfs.diff.tar.gzip";
inline constexpr std::string_view kDockerMediaTypeLayerZstd =
    "application/vnd.docker.image.rootfs.diff.tar.zstd";
// Layers that some may only have from their vendor; where a registry has them they are as any
// other.
inline constexpr std::string_view kMediaTypeForeignLayer =
    "application/vnd.oci.image.layer.nondistributable.v1.tar";
inline constexpr std::string_view kMediaTypeForeignLayerGzip =
    "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";
inline constexpr std::string_view kMediaTypeForeignLayerZstd =
    "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd";
inline constexpr std::string_view kDockerMediaTypeForeignLayerGzip =
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";

enum class Compression { None, Gzip, Zstd };  // values are persisted; append only

bool is_index(std::string_view media_type);
bool is_manifest(std::string_view media_type);
bool is_uncompressed_layer(std::string_view media_type);
bool is_foreign_layer(std::string_view media_type);
/// Of a layer in a form that can be unpacked.
bool is_layer(std::string_view media_type);
/// The other family's name for the same content, of layers, configs, manifests and indexes; any
/// other type as it is.
std::string_view docker_media_type(std::string_view media_type);
std::string_view oci_media_type(std::string_view media_type);
/// The OCI media type of a layer blob with this compression.
std::string_view layer_media_type(Compression compression);

}  // namespace mybuild::oci
