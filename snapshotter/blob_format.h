// SPDX-License-Identifier: Apache-2.0
// Under which name a made blob of a layer is remembered (LayerBlobRow): all that its bytes depend
// on besides the layer. Thread-safe.
#pragma once

#include "snapshotter/archive/codec.h"
#include "snapshotter/archive/tar_writer.h"

#include <string>

namespace mybuild::snapshotter {

std::string blob_format(const CompressionSpec& spec, const TarOptions& options);

/// The tar has other times than the layer, so its digest is not the layer's.
bool is_clamped(const std::string& format);

}  // namespace mybuild::snapshotter
