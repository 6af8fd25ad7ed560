// SPDX-License-Identifier: Apache-2.0
// One step: its keys, the records that count, its run. Straight-line, knows no other vertex and no
// thread; the scheduler says on which one each part happens. Thread-safe as long as the op and the
// index are.
#pragma once

#include "snapshotter/base/cancel.h"
#include "snapshotter/base/result.h"
#include "solver/executor.h"
#include "solver/key.h"
#include "solver/op.h"

#include <optional>
#include <vector>

namespace mybuild::solver {

/// The inputs of a step, by index. For make_definition_key only sources must be done.
struct StepInputs {
  std::vector<ResultPtr> results;
  std::vector<OutputId> ids;
  std::vector<DefinitionKey> definitions;
  std::vector<bool> is_source;
};

struct StepKeys {
  DefinitionKey definition;
  ContentKey content;  // zero as long as it was not needed
  /// What a record found by `definition` must have been made from. Those of steps are zero until
  /// set_inputs().
  std::vector<OutputId> record_inputs;
  std::vector<std::optional<Digest>> selected;  // content digests, as far as they were needed
};

/// How a step is looked up and recorded.
struct StepPolicy {
  bool look_up = true;
  bool early_cutoff = true;
  std::string name = {};  // as the build shows it
  bool is_shown = false;  // a VertexStarted went out
};

/// True if make_definition_key reads files: a local context stands in the key as what is selected
/// of it.
bool key_reads_files(const StepInputs& inputs);
/// Known before any step has run.
Result<StepKeys> make_definition_key(Op& op, const StepInputs& inputs);

/// Now that all inputs are done.
void set_inputs(StepKeys& keys, const StepInputs& inputs);
/// The newest of the records found by the definition key that was made from these inputs and whose
/// result can still be had. Touches no file of a layer.
Result<std::optional<Output>> match_records(Op& op, const StepKeys& keys, const StepInputs& inputs,
                                            const std::vector<CacheRecord>& records);
/// Makes the content key if no file has to be read for that.
void make_known_content_key(Op& op, StepKeys& keys, const StepInputs& inputs);
/// Makes the content key, which may read files of the inputs, and asks for its records. A hit is
/// recorded under the definition key, too. Without `look_up` only the key is made.
Result<std::optional<Output>> find_by_content(Op& op, StepKeys& keys, const StepInputs& inputs,
                                              CacheIndex& index, bool look_up);

/// What a later build finds the output by.
CacheRecord make_record(const StepKeys& keys, const Output& output);

/// Runs the op. With early cut-off an earlier result with the same output id, if its bytes are
/// still there, takes the new one's place, so that every image is one that was built as a whole.
/// With `look_up` so does the result of another build that ran the same step meanwhile: builds that
/// overlap agree on one outcome, and the next one finds all its steps.
Result<Output> run_step(Op& op, const StepKeys& keys, const StepInputs& inputs, CacheIndex& index,
                        Executor& executor, StepPolicy policy, const Cancel& cancel);

}  // namespace mybuild::solver
