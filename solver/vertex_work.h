// SPDX-License-Identifier: Apache-2.0
// VertexWork: what lanes do for one vertex of a build: make its key; look for records by content
// and run it. It never looks at the scheduler's state: all it needs is given, what comes of it is a
// message. Inside solver. Thread-safe.
#pragma once

#include "solver/scheduler.h"
#include "solver/vertex_state.h"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

namespace mybuild::solver {

using SteadyTime = std::chrono::steady_clock::time_point;

/// What became of one piece of work.
struct WorkResult {
  VertexIndex vertex = 0;
  VertexEvent event = VertexEvent::Failed;
  bool was_started = false;         // a VertexStarted was sent
  bool made_meanwhile = false;      // with Hit: somebody else ran it just now
  std::optional<StepKeys> keys;     // with Keyed, Hit and Finished
  std::optional<Output> output;     // with Hit and Finished
  std::optional<Error> error;       // with Failed
  std::optional<SteadyTime> began;  // instead of an event: the command runs since
};

class VertexWork {
 public:
  /// References outlive the object.
  VertexWork(const Graph& graph, const OpTable& ops, const SolveDeps& deps)
      : graph_(graph), ops_(ops), deps_(deps) {}

  WorkResult make_key(VertexIndex index, const StepInputs& inputs) const;
  /// Looks for records by content, and runs what has none, unless another build runs it now: then
  /// that one is waited for. Hit or Finished. `began` hears, in time, when the command itself
  /// starts, if it is not empty.
  WorkResult run(VertexIndex index, StepKeys keys, const StepInputs& inputs, StepPolicy policy,
                 const Cancel& cancel, const std::function<void()>& began) const;

 private:
  using ClaimPtr = std::unique_ptr<StepClaim>;
  void say_started(WorkResult& result) const;
  Result<ClaimPtr> claim(WorkResult& result, Op& op, const StepKeys& keys,
                         const Cancel& cancel) const;
  Status find_late(WorkResult& result, Op& op, StepKeys& keys, const StepInputs& inputs) const;
  Status find_or_claim(WorkResult& result, Op& op, StepKeys& keys, const StepInputs& inputs,
                       const StepPolicy& policy, ClaimPtr& claim, const Cancel& cancel) const;

  const Graph& graph_;
  const OpTable& ops_;
  const SolveDeps& deps_;
};

}  // namespace mybuild::solver
