// SPDX-License-Identifier: Apache-2.0
// A graph of fake ops with all that solve() needs, for tests of the scheduler.
#pragma once

#include "solver/memory_index.h"
#include "solver/scheduler.h"
#include "tests/support/fake_op.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace mybuild::solver {

using testing_support::FakeOp;
using testing_support::text_of;

class RecordingSink final : public EventSink {
 public:
  void on_event(Event event) override {
    const std::lock_guard lock(mutex_);
    events.push_back(std::move(event));
  }
  template <class T>
  std::size_t count() const {
    return static_cast<std::size_t>(std::count_if(
        events.begin(), events.end(), [](const Event& e) { return std::holds_alternative<T>(e); }));
  }
  std::vector<Event> events;

 private:
  std::mutex mutex_;
};

/// A graph of fake ops; vertex i is named "vi".
class World {
 public:
  explicit World(Lanes::Caps caps = {}) : lanes(caps) {}

  Edge add(FakeOp::Behaviour behaviour, std::vector<Edge> inputs) {
    ExecOp op;
    op.args = {std::to_string(ops.size())};
    op.has_root = false;
    behaviour.definition = op.args[0] + behaviour.definition;
    const Edge edge =
        builder.add(op, std::move(inputs), oci::host_platform(),
                    {.name = "v" + op.args[0], .location = {}, .ignore_cache = false});
    ops.push_back(std::make_unique<FakeOp>(std::move(behaviour)));
    return edge;
  }
  /// "name(inputs…)"
  Edge join(std::vector<Edge> inputs, std::chrono::milliseconds duration = {}) {
    return add({.definition = "join",
                .run =
                    [](const std::vector<std::string>& texts) {
                      std::string text = "(";
                      for (const std::string& part : texts) {
                        text += part + ",";
                      }
                      return Result<std::string>(text + ")");
                    },
                .duration = duration},
               std::move(inputs));
  }
  SolveResult solve_all(const std::vector<Edge>& targets) {
    const Graph graph = GraphBuilder(builder).build();
    return solver::solve(graph, ops, targets,
                         {.index = *index,
                          .lanes = lanes,
                          .executor = *executor,
                          .events = sink,
                          .clock = clock,
                          .cancel = cancel,
                          .options = options,
                          .known_builds = known_builds,
                          .claims = claims});
  }
  Result<SolveResult> solve(const std::vector<Edge>& targets) {
    SolveResult result = solve_all(targets);
    if (result.failure) {
      return std::move(*result.failure);
    }
    return result;
  }
  FakeOp& op(Edge edge) { return static_cast<FakeOp&>(*ops[edge.vertex]); }

  GraphBuilder builder;
  OpTable ops;
  std::unique_ptr<CacheIndex> index = make_memory_index();
  Lanes lanes;
  LocalExecutor here;
  Executor* executor = &here;
  SolveOptions options;
  KnownBuilds* known_builds = nullptr;
  StepClaims* claims = nullptr;
  RecordingSink sink;
  SystemClock clock;
  Cancel cancel;
};

}  // namespace mybuild::solver
