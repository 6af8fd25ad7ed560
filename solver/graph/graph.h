// SPDX-License-Identifier: Apache-2.0
// Graph: what a build has to do, as an immutable, content-addressed DAG. Only GraphBuilder makes
// one; equal vertices are one vertex. Value type after build(); thread-safe to read.
#pragma once

#include "snapshotter/base/digest.h"
#include "snapshotter/base/error.h"
#include "snapshotter/oci/platform.h"
#include "solver/graph/op_spec.h"

#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace mybuild::solver {

/// Names the definition of a vertex, to share work in flight. Never looked up in a cache: a tag
/// moves.
struct VertexId {
  Digest digest;
  auto operator<=>(const VertexId&) const = default;
};

/// Position of a vertex in its graph.
using VertexIndex = std::uint32_t;

struct Edge {
  VertexIndex vertex = 0;
  bool operator==(const Edge&) const = default;
};

/// For people and policies; no part of the identity. Of equal vertices the first one's is kept.
struct VertexMeta {
  std::string name;  // "[build 2/5] RUN make"; empty: nobody is told about it
  std::optional<SourceLocation> location;
  bool ignore_cache = false;  // --no-cache; of equal vertices one is enough
};

struct Vertex {
  VertexId id;
  OpSpec op;
  std::vector<Edge> inputs;
  oci::Platform platform;
  VertexMeta meta;
};

class Graph {
 public:
  /// Topological: the inputs of a vertex come before it.
  std::span<const Vertex> vertices() const { return vertices_; }
  const Vertex& at(Edge edge) const { return vertices_[edge.vertex]; }

 private:
  friend class GraphBuilder;
  std::vector<Vertex> vertices_;
};

class GraphBuilder {
 public:
  /// The edge of an equal vertex if there is one already. Inputs must come from this builder.
  Edge add(OpSpec op, std::vector<Edge> inputs, const oci::Platform& platform, VertexMeta meta);
  const Vertex& at(Edge edge) const { return graph_.at(edge); }
  Graph build() && { return std::move(graph_); }

 private:
  Graph graph_;
  std::unordered_map<Digest, VertexIndex> by_id_;
};

/// For golden tests and people: one JSON object per vertex, stable order, digests of inputs
/// replaced by indices.
std::string dump_json(const Graph& graph);

}  // namespace mybuild::solver
