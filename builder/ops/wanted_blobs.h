// SPDX-License-Identifier: Apache-2.0
// Layers of which steps are wanted as blobs at once, and in which forms: these are made from the
// same pass over the files that makes the layer. Value type.
#pragma once

#include "snapshotter/growing_blob.h"
#include "solver/graph/graph.h"

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <vector>

namespace mybuild::ops {

struct WantedBlobs {
  static constexpr std::uint64_t kSmall = 16 << 10;
  std::map<solver::VertexId, std::vector<snapshotter::CompressionSpec>> forms;
  std::set<solver::VertexId> last;  // the steps that nobody waits for
  snapshotter::OnDraft on_draft;    // hears of all drafts; may be empty
  // Only of the last steps, as a build that fails later is to leave nothing at a registry: of
  // drafts, and of what is so small that there will be no draft.
  snapshotter::OnDraft on_last_draft;
  std::function<void()> on_small;

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
  /// The step is going to be done, and has so many bytes of files to pack.
  void begins(const solver::VertexId& step, std::uint64_t bytes) const {
    if (on_small && bytes <= kSmall && last.contains(step)) {
      on_small();
    }
  }
  std::span<const snapshotter::CompressionSpec> of(const solver::VertexId& step) const {
    const auto found = forms.find(step);
    return found == forms.end() ? std::span<const snapshotter::CompressionSpec>() : found->second;
  }
};

}  // namespace mybuild::ops
