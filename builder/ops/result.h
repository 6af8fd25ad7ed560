// SPDX-License-Identifier: Apache-2.0
// What is behind the solver's opaque handles: a stack of layers, or files that are no layer (a
// directory of the client, a download, a commit). Immutable,
// thread-safe.
#pragma once

#include "snapshotter/base/clock.h"
#include "snapshotter/layer_store.h"
#include "snapshotter/tree_view.h"
#include "solver/op.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mybuild::ops {

/// The image at the bottom of a stack. Its bytes may not be here yet.
struct BaseImage {
  Digest id;                // ImageMeta::id
  std::size_t layers = 0;   // how many of the stack are its
  solver::VertexId vertex;  // a download is shown there
  std::string name;         // of that vertex
};

class TreeResult final : public solver::ResultHandle {
 public:
  solver::OutputId id;
  /// Lowest first. One above the base that has a blob comes from an imported cache: its tree may
  /// not be here, and nobody has looked at it yet (source::RemoteLayers).
  std::vector<snapshotter::Layer> layers;
  std::optional<BaseImage> base;
  std::vector<Time>
      created;  // when each layer above the base was made; a cached one keeps its time
};

class ContextResult final : public solver::ResultHandle {
 public:
  std::shared_ptr<const snapshotter::TreeView> view;
  std::string name;  // "context", the name of a named one, or the URL
};

}  // namespace mybuild::ops
