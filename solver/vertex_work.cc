// SPDX-License-Identifier: Apache-2.0
#include "solver/vertex_work.h"

#include <utility>

namespace mybuild::solver {

namespace {

WorkResult failed(VertexIndex index, Error error) {
  WorkResult result;
  result.vertex = index;
  result.error = std::move(error);
  return result;
}

}  // namespace

WorkResult VertexWork::make_key(VertexIndex index, const StepInputs& inputs) const {
  if (const Status asked = deps_.cancel.check(); !asked) {
    return failed(index, asked.error());
  }
  Result<StepKeys> keys = make_definition_key(*ops_[index], inputs);
  if (!keys) {
    return failed(index, std::move(keys).error());
  }
  WorkResult result;
  result.vertex = index;
  result.event = VertexEvent::Keyed;
  result.keys = std::move(keys).value();
  return result;
}

WorkResult VertexWork::run(VertexIndex index, StepKeys keys, const StepInputs& inputs,
                           StepPolicy policy, const Cancel& cancel,
                           const std::function<void()>& began) const {
  if (const Status asked = cancel.check(); !asked) {
    return failed(index, asked.error());
  }
  Op& op = *ops_[index];
  WorkResult result;
  result.vertex = index;
  if (!op.is_direct()) {
    auto hit = find_by_content(op, keys, inputs, deps_.index, policy.look_up);
    if (!hit) {
      return failed(index, std::move(hit).error());
    }
    result.keys = keys;
    if (*hit) {
      result.event = VertexEvent::Hit;
      result.output = std::move(*hit);
      return result;
    }
  }
  const Vertex& vertex = graph_.vertices()[index];
  if (!vertex.meta.name.empty()) {
    deps_.events.on_event(VertexStarted{vertex.id, vertex.meta.name, deps_.clock.now()});
    result.was_started = true;
  }
  Status ready;
  if (began) {
    ready = op.prepare(inputs.results, cancel);
    began();
  }
  Result<Output> output =
      ready ? run_step(op, keys, inputs, deps_.index, deps_.executor, policy, cancel)
            : Result<Output>(std::move(ready).error());
  if (!output) {
    result.error = std::move(output).error();
    return result;
  }
  result.event = VertexEvent::Finished;
  result.output = std::move(output).value();
  return result;
}

}  // namespace mybuild::solver
