// SPDX-License-Identifier: Apache-2.0
// From a result to files: directories of its layers (downloading and unpacking the base image when
// needed), a view of the merged tree, and the result that a step's new layer makes. Thread-safe.
#pragma once

#include "builder/ops/deps.h"
#include "builder/ops/result.h"

namespace mybuild::ops {

/// The result as a stack of layers; null means an empty tree. Internal error if it is a context.
Result<const TreeResult*> as_tree(const solver::ResultPtr& result);

/// The layer trees of a stack, lowest first. `tree` may be null: no layers.
Result<std::vector<std::string>> layer_dirs(const TreeResult* tree, const OpDeps& deps);
Result<std::unique_ptr<snapshotter::TreeView>> open_tree(const TreeResult* tree,
                                                         const OpDeps& deps);
/// A tree or a context to look into. `owned` keeps what the view needs alive.
struct View {
  const snapshotter::TreeView* view = nullptr;
  std::unique_ptr<snapshotter::TreeView> owned;
};
Result<View> open_view(const solver::ResultPtr& result, const OpDeps& deps);

/// `parent` plus one layer made at `created`, as a step's output.
solver::Output with_layer(const TreeResult* parent, const solver::OutputId& parent_id,
                          const snapshotter::Layer& layer, Time created);
/// The output that a record describes, on this build's parent; nullopt when the layer's tree is
/// gone, or, of an imported record, cannot be had. `vertex` shows a download.
Result<std::optional<solver::Output>> restore_layer(const solver::CacheRecord& record,
                                                    const TreeResult* parent,
                                                    const solver::Vertex& vertex,
                                                    const OpDeps& deps);

/// What the body of a step's record says.
struct StepLayer {
  snapshotter::Layer layer;
  Time created{};
};
std::string dump_body(const StepLayer& step);
Result<StepLayer> parse_body(const std::string& body);

}  // namespace mybuild::ops
