// SPDX-License-Identifier: Apache-2.0
// Layers of which steps are wanted as blobs at once, and in which forms: these are made from the
// same pass over the files that makes the layer. Value type.
#pragma once

#include "snapshotter/growing_blob.h"
#include "solver/graph/graph.h"

#include <map>
#include <span>
#include <vector>

namespace mybuild::ops {

struct WantedBlobs {
  std::map<solver::VertexId, std::vector<snapshotter::CompressionSpec>> forms;
  snapshotter::OnDraft on_draft;  // hears of their drafts; may be empty

  std::span<const snapshotter::CompressionSpec> of(const solver::VertexId& step) const {
    const auto found = forms.find(step);
    return found == forms.end() ? std::span<const snapshotter::CompressionSpec>() : found->second;
  }
};

}  // namespace mybuild::ops
