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
#include "solver/claims.h"
#include "solver/op.h"
#include "solver/progress.h"
#include "solver/step.h"

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace mybuild::solver {

/// Builds that were done before as a whole. Asked at most once per build, when all keys are known
/// and nothing has run. Thread-safe.
class KnownBuilds {
 public:
  virtual ~KnownBuilds() = default;
  /// True if a build whose targets have these keys (of a source: what it is) needs no work.
  virtual bool is_known(std::span<const KeyInput> targets) = 0;
};

struct SolveOptions {
  /// False: what stands on the files of a step that ran, runs too, as without a cache.
  bool early_cutoff = true;
  /// How long one command (Lane::Exec) may run; zero: as long as it likes.
  std::chrono::milliseconds step_timeout{0};
};

struct SolveDeps {
  CacheIndex& index;
  Lanes& lanes;
  Executor& executor;
  EventSink& events;
  const Clock& clock;
  Cancel& cancel;  // requested by solve() itself when a vertex fails, so that the others stop
  SolveOptions options;
  KnownBuilds* known_builds = nullptr;
  StepClaims* claims = nullptr;  // null: nobody else runs steps of these records
};

/// What became of one vertex.
struct VertexOutcome {
  std::optional<Output> output;  // of every vertex that is done
  bool cached = false;
  bool made_meanwhile = false;  // cached, and not yet there when it was first looked for
  Time finished{};              // when a step ran; of a cached one, the time of the lookup
  StepKeys keys;                // of a step whose inputs were there, as far as its keys were needed
};

struct SolveResult {
  std::vector<VertexOutcome> vertices;  // by VertexIndex; those that no target needs have no output
  /// Of the vertex that failed first, with its place in the Dockerfile; Cancelled when the build
  /// was asked from outside to end. Then outcomes say how far the build came.
  std::optional<Error> failure;
  std::optional<VertexIndex> failed_vertex;  // not of a build that was asked to end
  /// `known_builds` knew it: all steps count as cached, and no vertex that is not a source has an
  /// output.
  bool is_known_build = false;
};

/// The op of each vertex by index; must outlive the call.
using OpTable = std::vector<std::unique_ptr<Op>>;

/// Returns when nothing runs any more.
SolveResult solve(const Graph& graph, const OpTable& ops, const std::vector<Edge>& targets,
                  SolveDeps deps);

}  // namespace mybuild::solver
