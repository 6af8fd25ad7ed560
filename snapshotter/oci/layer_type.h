// SPDX-License-Identifier: Apache-2.0
// Which media types are those of layers. Foreign ("nondistributable") layers are those that some
// may only have from their vendor; where a registry has them they are as any other.
#pragma once

#include <string_view>

namespace mybuild::oci {

inline constexpr std::string_view kMediaTypeForeignLayer =
    "application/vnd.oci.image.layer.nondistributable.v1.tar";
inline constexpr std::string_view kMediaTypeForeignLayerGzip =
    "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";
inline constexpr std::string_view kMediaTypeForeignLayerZstd =
    "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd";
inline constexpr std::string_view kDockerMediaTypeForeignLayerGzip =
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";

bool is_foreign_layer(std::string_view media_type);
/// Of a layer in a form that can be unpacked.
bool is_layer(std::string_view media_type);

}  // namespace mybuild::oci
