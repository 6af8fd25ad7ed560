// SPDX-License-Identifier: Apache-2.0
// Layers of which steps are wanted as blobs at once, and in which forms: these are made from the
// same pass over the files that makes the layer. Value type.
#pragma once

#include "snapshotter/growing_blob.h"
#include "solver/graph/graph.h"

#include <map>
#include <set>
#include <span>
#include <vector>

namespace mybuild::ops {

struct WantedBlobs {
  std::map<solver::VertexId, std::vector<snapshotter::CompressionSpec>> forms;
  std::set<solver::VertexId> last;  // the steps that nobody waits for
  snapshotter::OnDraft on_draft;    // hears of the drafts of these; may be empty

  /// A build that fails later leaves nothing begun anywhere else.
  snapshotter::OnDraft draft_of(const solver::VertexId& step) const {
    return last.contains(step) ? on_draft : snapshotter::OnDraft();
  }
  std::span<const snapshotter::CompressionSpec> of(const solver::VertexId& step) const {
    const auto found = forms.find(step);
    return found == forms.end() ? std::span<const snapshotter::CompressionSpec>() : found->second;
  }
};

}  // namespace mybuild::ops
