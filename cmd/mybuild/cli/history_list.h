// SPDX-License-Identifier: Apache-2.0
// What `history` prints: docker's columns, and the digest of each instruction's layer. A pure
// function to text, thread-safe.
#pragma once

#include "cmd/mybuild/cli/store_options.h"
#include "snapshotter/base/clock.h"
#include "snapshotter/layer_store.h"
#include "snapshotter/oci/image_config.h"

#include <string>
#include <vector>

namespace mybuild::cli {

/// `layers`: those of the image, lowest first, with their sizes.
Result<std::string> history_text(const Digest& image_id, const oci::ImageConfig& config,
                                 const std::vector<snapshotter::Layer>& layers,
                                 const HistoryOptions& options, Time now);

}  // namespace mybuild::cli
