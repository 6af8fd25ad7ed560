// SPDX-License-Identifier: Apache-2.0
// The event stream of a build: what started, was cached, ended, was printed, how far a transfer is.
// One stream per build, read by the progress printers of the CLI. Events of one vertex come in
// order. Value types.
#pragma once

#include "snapshotter/base/clock.h"
#include "snapshotter/base/error.h"
#include "solver/graph/graph.h"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace mybuild::solver {

struct VertexStarted {
  VertexId vertex;
  std::string name;
  Time time;
};
/// Comes instead of a VertexStarted, or after it, when the result was found; no VertexDone follows.
struct VertexCached {
  VertexId vertex;
  std::string name;
  Time time;
};
struct VertexDone {
  VertexId vertex;
  Time time;
  std::optional<Error> error;  // Cancelled when another vertex failed first
};
struct LogChunk {
  VertexId vertex;
  int stream = 1;  // 1 stdout, 2 stderr
  std::string bytes;
  Time time;
};
/// A transfer or another countable part of a vertex.
struct Progress {
  VertexId vertex;
  std::string item;  // "sha256:0123… 1.2 MB", "exporting layers"
  std::uint64_t current = 0;
  std::uint64_t total = 0;  // 0: not known
  bool done = false;
  Time time;
};
struct Warning {
  std::string message;
  std::string detail;
  std::optional<SourceLocation> location;
};

using Event = std::variant<VertexStarted, VertexCached, VertexDone, LogChunk, Progress, Warning>;

/// Called from many threads, one event at a time per vertex; must not block for long.
/// Implementations are thread-safe.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void on_event(Event event) = 0;
};

/// The id of something that is shown like a vertex but is not in the graph ("[internal] load
/// metadata for …").
VertexId internal_vertex(std::string_view name);

}  // namespace mybuild::solver
