// SPDX-License-Identifier: Apache-2.0
#include "solver/graph/graph.h"

namespace mybuild::solver {

namespace {

/// Only exec and image sources hold the platform: the same COPY for two platforms is one vertex.
bool platform_matters(const OpSpec& op) {
  if (const auto* source = std::get_if<SourceOp>(&op)) {
    return std::holds_alternative<ImageSource>(*source);
  }
  return std::holds_alternative<ExecOp>(op);
}

}  // namespace

Edge GraphBuilder::add(OpSpec op, std::vector<Edge> inputs, const oci::Platform& platform,
                       VertexMeta meta) {
  Hasher hasher;
  hasher.update(encode(op));
  for (const Edge input : inputs) {
    hasher.update(at(input).id.digest.bytes);
  }
  if (platform_matters(op)) {
    hasher.update(oci::to_string(platform));
  }
  const Digest id = hasher.finish();
  const auto [found, is_new] =
      by_id_.emplace(id, static_cast<VertexIndex>(graph_.vertices_.size()));
  if (is_new) {
    graph_.vertices_.push_back(Vertex{.id = VertexId{id},
                                      .op = std::move(op),
                                      .inputs = std::move(inputs),
                                      .platform = platform,
                                      .meta = std::move(meta)});
  } else if (meta.ignore_cache) {
    graph_.vertices_[found->second].meta.ignore_cache = true;
  }
  return Edge{found->second};
}

}  // namespace mybuild::solver
