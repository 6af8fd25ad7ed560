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
  std::set<solver::VertexId> last;     // the steps that nobody waits for
  snapshotter::OnDraft on_draft;       // hears of all drafts; may be empty
  snapshotter::OnDraft on_last_draft;  // … of those of the last steps only

  snapshotter::OnDraft draft_of(const solver::VertexId& step) const {
    if (!last.contains(step) || !on_last_draft) {
      return on_draft;
    }
    return !on_draft ? on_last_draft
                     : [all = on_draft, after = on_last_draft](
                           const snapshotter::CompressionSpec& form, const auto& blob) {
                         all(form, blob);
                         after(form, blob);
                       };
  }
  std::span<const snapshotter::CompressionSpec> of(const solver::VertexId& step) const {
    const auto found = forms.find(step);
    return found == forms.end() ? std::span<const snapshotter::CompressionSpec>() : found->second;
  }
};

}  // namespace mybuild::ops
