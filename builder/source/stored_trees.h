// SPDX-License-Identifier: Apache-2.0
// The trees of an image that is in the local store, without asking anybody else: one that is
// missing (a power cut, damage) is unpacked again from the blob that its layer came with, if that
// is still there. Thread-safe.
#pragma once

#include "snapshotter/base/lanes.h"
#include "snapshotter/content/content_store.h"
#include "snapshotter/layer_store.h"

#include <span>
#include <string>
#include <vector>

namespace mybuild::source {

struct StoredTreesDeps {
  snapshotter::ContentStore& content;
  snapshotter::LayerStore& layers;
  Lanes& lanes;
};

/// Lowest first. DataLoss names the layer of `image` that cannot be had.
Result<std::vector<std::string>> stored_trees(std::span<const Digest> chain,
                                              const std::string& image,
                                              const StoredTreesDeps& deps);

}  // namespace mybuild::source
