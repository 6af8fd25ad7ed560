// SPDX-License-Identifier: Apache-2.0
// One step, on a lane: make its keys, look for a record that counts, or run it and write the
// record. Blocking, straight-line, knows no other vertex. Thread-safe as long as the op and the
// index are.
#pragma once

#include "snapshotter/base/cancel.h"
#include "snapshotter/base/result.h"
#include "solver/key.h"
#include "solver/op.h"

#include <optional>
#include <vector>

namespace mybuild::solver {

/// The inputs of a step, by index, all done.
struct StepInputs {
  std::vector<ResultPtr> results;
  std::vector<OutputId> ids;
  std::vector<DefinitionKey> definitions;
  std::vector<bool> is_direct;
};

struct StepKeys {
  DefinitionKey definition;
  ContentKey content;
  std::vector<OutputId>
      record_inputs;  // what a record found by `definition` must have been made from
  std::vector<std::optional<Digest>> selected;  // content digests, as far as they were needed
};

struct Probe {
  StepKeys keys;
  std::optional<Output> hit;
};

/// Without `look_up` only the keys are made.
Result<Probe> probe_step(Op& op, const StepInputs& inputs, CacheIndex& index, bool look_up);
/// Runs the op. An earlier result with the same output id, if its bytes are still there, takes the
/// new one's place (early cut-off), so that every image is one that was built as a whole. With
/// `look_up` so does the result of another build that ran the same step meanwhile: builds that
/// overlap agree on one outcome, and the next one finds all its steps.
Result<Output> run_step(Op& op, const StepKeys& keys, const StepInputs& inputs, CacheIndex& index,
                        bool look_up, const Cancel& cancel);

}  // namespace mybuild::solver
