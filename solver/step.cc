// SPDX-License-Identifier: Apache-2.0
#include "solver/step.h"

#include <chrono>

namespace mybuild::solver {

namespace {

using Kind = KeyInput::Kind;

bool is_selected(const Op& op, std::size_t input) {
  return op.input_rule(input) == InputRule::Selected;
}

Result<Digest> selected_digest(Op& op, const StepInputs& inputs, StepKeys& keys,
                               std::size_t input) {
  if (!keys.selected[input]) {
    keys.selected[input] = TRY(op.content_digest(input, inputs.results[input]));
  }
  return *keys.selected[input];
}

/// A source that has no identity as a whole (a local context) stands in all keys as what the op
/// selects of it.
bool is_bare_context(const StepInputs& inputs, std::size_t input) {
  return inputs.is_source[input] && inputs.ids[input].digest.is_zero();
}

Status make_content(Op& op, const StepInputs& inputs, StepKeys& keys) {
  std::vector<KeyInput> parts;
  for (std::size_t i = 0; i < inputs.results.size(); ++i) {
    if (is_selected(op, i)) {
      const Digest digest = TRY(selected_digest(op, inputs, keys, i));
      parts.push_back({Kind::Content, digest});
    } else {
      parts.push_back({Kind::Output, inputs.ids[i].digest});
    }
  }
  keys.content = content_key(op.definition(), parts);
  return {};
}

/// The newest record whose result can still be had.
Result<std::optional<Output>> restore_any(Op& op, const StepInputs& inputs,
                                          const std::vector<CacheRecord>& records) {
  for (const CacheRecord& record : records) {
    std::optional<Output> output = TRY(op.restore(record, inputs.results));
    if (output) {
      return output;
    }
  }
  return std::optional<Output>();
}

}  // namespace

CacheRecord make_record(const StepKeys& keys, const Output& output) {
  return CacheRecord{.definition = keys.definition,
                     .content = keys.content,
                     .inputs = keys.record_inputs,
                     .output = output.id,
                     .body = output.body};
}

bool key_reads_files(const StepInputs& inputs) {
  for (std::size_t i = 0; i < inputs.ids.size(); ++i) {
    if (is_bare_context(inputs, i)) {
      return true;
    }
  }
  return false;
}

Result<StepKeys> make_definition_key(Op& op, const StepInputs& inputs) {
  StepKeys keys;
  keys.selected.resize(inputs.results.size());
  keys.record_inputs.resize(inputs.results.size());
  std::vector<KeyInput> parts;
  for (std::size_t i = 0; i < inputs.results.size(); ++i) {
    if (is_bare_context(inputs, i)) {
      const Digest digest = TRY(selected_digest(op, inputs, keys, i));
      parts.push_back({Kind::Content, digest});
      keys.record_inputs[i] = OutputId{digest};
    } else if (inputs.is_source[i]) {
      parts.push_back({Kind::Output, inputs.ids[i].digest});
    } else {
      parts.push_back({Kind::Definition, inputs.definitions[i].digest});
    }
  }
  keys.definition = definition_key(op.definition(), parts);
  return keys;
}

void set_inputs(StepKeys& keys, const StepInputs& inputs) {
  for (std::size_t i = 0; i < inputs.ids.size(); ++i) {
    if (!is_bare_context(inputs, i)) {
      keys.record_inputs[i] = inputs.ids[i];
    }
  }
}

Result<std::optional<Output>> match_records(Op& op, const StepKeys& keys, const StepInputs& inputs,
                                            const std::vector<CacheRecord>& records) {
  for (const CacheRecord& record : records) {
    if (record.inputs != keys.record_inputs) {
      continue;
    }
    std::optional<Output> output = TRY(op.restore(record, inputs.results));
    if (output) {
      return output;
    }
  }
  return std::optional<Output>();
}

void make_known_content_key(Op& op, StepKeys& keys, const StepInputs& inputs) {
  for (std::size_t i = 0; i < inputs.ids.size(); ++i) {
    if (is_selected(op, i) && !keys.selected[i]) {
      return;
    }
  }
  static_cast<void>(make_content(op, inputs, keys));  // which only fails where files are read
}

Result<std::optional<Output>> find_by_content(Op& op, StepKeys& keys, const StepInputs& inputs,
                                              CacheIndex& index, bool look_up) {
  TRY(make_content(op, inputs, keys));
  if (!look_up) {
    return std::optional<Output>();
  }
  const std::vector<CacheRecord> records = TRY(index.find(keys.content));
  std::optional<Output> hit = TRY(restore_any(op, inputs, records));
  if (hit && hit->cacheable) {
    TRY(index.add(make_record(keys, *hit)));
  }
  return hit;
}

Result<Output> run_step(Op& op, const StepKeys& keys, const StepInputs& inputs, CacheIndex& index,
                        Executor& executor, StepPolicy policy, const Cancel& cancel) {
  const StepWork work{
      .definition = op.definition(), .inputs = inputs.ids, .op = op, .results = inputs.results};
  const auto begun = std::chrono::steady_clock::now();
  Output output = TRY(executor.execute(work, cancel));
  const auto took = std::chrono::steady_clock::now() - begun;
  if (op.is_direct() || !output.cacheable) {
    return output;
  }
  std::optional<Output> earlier;
  if (policy.early_cutoff) {
    const std::vector<CacheRecord> equal = TRY(index.find(output.id));
    earlier = TRY(restore_any(op, inputs, equal));
  }
  if (!earlier && policy.look_up) {
    const std::vector<CacheRecord> meanwhile = TRY(index.find(keys.content));
    earlier = TRY(restore_any(op, inputs, meanwhile));
  }
  // What another machine made is no use any more: this is the store's own now.
  if (earlier && earlier->cacheable) {
    output = std::move(*earlier);
  }
  if (!output.cacheable) {
    return output;
  }
  CacheRecord record = make_record(keys, output);
  record.run = StepRun{.step = policy.name,
                       .took = std::chrono::duration_cast<std::chrono::milliseconds>(took)};
  TRY(index.add(record));
  return output;
}

}  // namespace mybuild::solver
