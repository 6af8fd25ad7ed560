// SPDX-License-Identifier: Apache-2.0
// solve(): drives the vertices of a graph to their results. The calling thread is the scheduler: it
// alone owns the vertex states, so there are no locks; lookups and runs happen on lanes and come
// back as messages. Independent vertices run at the same time, equal ones once (the graph holds
// them once), the first failure stops the rest.
#pragma once

#include "snapshotter/base/cancel.h"
#include "snapshotter/base/clock.h"
#include "snapshotter/base/lanes.h"
#include "snapshotter/base/result.h"
#include "solver/op.h"
#include "solver/progress.h"
#include "solver/step.h"

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace mybuild::solver {

struct SolveDeps {
  CacheIndex& index;
  Lanes& lanes;
  EventSink& events;
  const Clock& clock;
  Cancel& cancel;  // requested by solve() itself when a vertex fails, so that the others stop
};

/// What became of one vertex.
struct VertexOutcome {
  std::optional<Output> output;  // of every vertex that is done
  bool cached = false;
  Time finished{};  // when a step ran; of a cached one, the time of the lookup
  StepKeys keys;    // of a step whose inputs were there, as far as its keys were needed
};

struct SolveResult {
  std::vector<VertexOutcome> vertices;  // by VertexIndex; those that no target needs have no output
  /// Of the vertex that failed first, with its place in the Dockerfile; Cancelled when the build
  /// was asked from outside to end. Then outcomes say how far the build came.
  std::optional<Error> failure;
};

/// The op of each vertex by index; must outlive the call.
using OpTable = std::vector<std::unique_ptr<Op>>;

/// Returns when nothing runs any more.
SolveResult solve(const Graph& graph, const OpTable& ops, const std::vector<Edge>& targets,
                  SolveDeps deps);

}  // namespace mybuild::solver
