// SPDX-License-Identifier: Apache-2.0
// Puts an unpacked layer on the layers below it: what the tar left open (layer_extractor.h,
// LowerNeeds) gets decided as if the layer had been unpacked over a mounted stack. Thread-safe.
#pragma once

#include "snapshotter/layer_extractor.h"

namespace mybuild::snapshotter {

/// `dir`: the layer's tree; `lower`: trees of all layers below, lowest first.
Status settle_on_lower(const std::string& dir, const std::vector<std::string>& lower,
                       const LowerNeeds& needs);

}  // namespace mybuild::snapshotter
