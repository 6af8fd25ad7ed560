// SPDX-License-Identifier: Apache-2.0
// InternalStep: shows a piece of the engine's work that is no vertex of the graph like one, from
// its making to its end. Inside builder. Thread-compatible.
#pragma once

#include "snapshotter/base/clock.h"
#include "solver/progress.h"

#include <optional>
#include <string>
#include <utility>

namespace mybuild::builder {

class InternalStep {
 public:
  InternalStep(std::string name, solver::EventSink& events, const Clock& clock)
      : id_(solver::internal_vertex(name)), events_(events), clock_(clock) {
    events_.on_event(solver::VertexStarted{id_, std::move(name), clock_.now()});
  }
  InternalStep(const InternalStep&) = delete;
  InternalStep& operator=(const InternalStep&) = delete;
  ~InternalStep() { events_.on_event(solver::VertexDone{id_, clock_.now(), std::move(error_)}); }

  template <class T>
  Result<T> done(Result<T> result) {
    if (!result) {
      error_ = result.error();
    }
    return result;
  }
  const solver::VertexId& id() const { return id_; }

 private:
  solver::VertexId id_;
  solver::EventSink& events_;
  const Clock& clock_;
  std::optional<Error> error_;
};

}  // namespace mybuild::builder
