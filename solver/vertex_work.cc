// SPDX-License-Identifier: Apache-2.0
#include "solver/vertex_work.h"

#include <algorithm>
#include <utility>

namespace mybuild::solver {

namespace {

WorkResult failed(VertexIndex index, Error error) {
  WorkResult result;
  result.vertex = index;
  result.error = std::move(error);
  return result;
}

bool has_all(const StepInputs& inputs) {
  return std::all_of(inputs.results.begin(), inputs.results.end(),
                     [](const ResultPtr& result) { return result != nullptr; });
}

}  // namespace

WorkResult VertexWork::make_key(VertexIndex index, const StepInputs& inputs) const {
  if (const Status asked = deps_.cancel.check(); !asked) {
    return failed(index, asked.error());
  }
  WorkResult result;
  result.vertex = index;
  Op& op = *ops_[index];
  Status ahead;
  if (key_reads_files(inputs) && has_all(inputs)) {
    ahead = op.run_ahead(
        inputs.results, inputs.ids, [&] { say_started(result); }, deps_.cancel);
  }
  Result<StepKeys> keys =
      ahead ? make_definition_key(op, inputs) : Result<StepKeys>(std::move(ahead).error());
  if (!keys) {
    result.error = std::move(keys).error();
    return result;
  }
  result.event = VertexEvent::Keyed;
  result.keys = std::move(keys).value();
  return result;
}

/// The step is shown from here on.
void VertexWork::say_started(WorkResult& result) const {
  const Vertex& vertex = graph_.vertices()[result.vertex];
  if (!vertex.meta.name.empty() && !std::exchange(result.was_started, true)) {
    deps_.events.on_event(VertexStarted{vertex.id, vertex.meta.name, deps_.clock.now()});
  }
}

/// A step that must run whatever is known is no business of others.
Result<VertexWork::ClaimPtr> VertexWork::claim(WorkResult& result, Op& op, const StepKeys& keys,
                                               const Cancel& cancel) const {
  const auto on_wait = [&] {
    say_started(result);
    if (result.was_started) {
      deps_.events.on_event(
          LogChunk{.vertex = graph_.vertices()[result.vertex].id,
                   .stream = 2,
                   .bytes = "waiting for the same step, which another build or stage runs now\n",
                   .time = deps_.clock.now()});
    }
  };
  return deps_.claims->claim({.definition = keys.definition, .content = keys.content}, op.lane(),
                             on_wait, cancel);
}

/// Before any file is read: what is known elsewhere of a definition needs no layer to be here.
Status VertexWork::find_late(WorkResult& result, Op& op, StepKeys& keys,
                             const StepInputs& inputs) const {
  const std::vector<CacheRecord> records = TRY(deps_.index.find_late(keys.definition));
  result.output = TRY(match_records(op, keys, inputs, records));
  if (result.output) {
    make_known_content_key(op, keys, inputs);
  }
  return {};
}

/// Sets the output of what is found; else the step is to be run, and `claim` held meanwhile.
Status VertexWork::find_or_claim(WorkResult& result, Op& op, StepKeys& keys,
                                 const StepInputs& inputs, const StepPolicy& policy,
                                 ClaimPtr& claim, const Cancel& cancel) const {
  if (policy.look_up) {
    TRY(find_late(result, op, keys, inputs));
    if (result.output) {
      return {};
    }
  }
  result.output = TRY(find_by_content(op, keys, inputs, deps_.index, policy.look_up));
  if (result.output || !policy.look_up || deps_.claims == nullptr) {
    return {};
  }
  claim = TRY(this->claim(result, op, keys, cancel));
  // Between the first look and the claim, too, somebody may have come to the end of it.
  result.output = TRY(find_by_content(op, keys, inputs, deps_.index, policy.look_up));
  result.made_meanwhile = result.output.has_value();
  return {};
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
  result.was_started = policy.is_shown;
  ClaimPtr claim;
  if (!op.is_direct()) {
    Status looked = find_or_claim(result, op, keys, inputs, policy, claim, cancel);
    if (!looked) {
      result.error = std::move(looked).error();
      return result;
    }
    result.keys = keys;
    if (result.output) {
      result.event = VertexEvent::Hit;
      return result;
    }
  }
  say_started(result);
  policy.name = graph_.vertices()[index].meta.name;
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
