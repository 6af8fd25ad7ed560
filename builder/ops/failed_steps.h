// SPDX-License-Identifier: Apache-2.0
// FailedSteps: the evidence of steps that failed: what they left behind becomes a layer, if
// somebody asked for it, and their result a handle like any other. It is in no record and no key,
// so no build can hit it. Thread-safe.
#pragma once

#include "snapshotter/base/guarded.h"
#include "solver/op.h"

#include <map>

namespace mybuild::ops {

class FailedSteps {
 public:
  void put(const solver::VertexId& vertex, solver::ResultPtr files) {
    steps_.lock()->insert_or_assign(vertex, std::move(files));
  }
  /// Null when the step left nothing.
  solver::ResultPtr find(const solver::VertexId& vertex) {
    const auto steps = steps_.lock();
    const auto found = steps->find(vertex);
    return found == steps->end() ? nullptr : found->second;
  }

 private:
  Guarded<std::map<solver::VertexId, solver::ResultPtr>> steps_;
};

}  // namespace mybuild::ops
