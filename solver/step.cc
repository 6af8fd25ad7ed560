// SPDX-License-Identifier: Apache-2.0
#include "solver/step.h"

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
  return inputs.is_direct[input] && inputs.ids[input].digest.is_zero();
}

Status make_definition(Op& op, const StepInputs& inputs, const std::string& definition,
                       StepKeys& keys) {
  std::vector<KeyInput> parts;
  for (std::size_t i = 0; i < inputs.results.size(); ++i) {
    if (is_bare_context(inputs, i)) {
      const Digest digest = TRY(selected_digest(op, inputs, keys, i));
      parts.push_back({Kind::Content, digest});
      keys.record_inputs.push_back(OutputId{digest});
    } else {
      parts.push_back(inputs.is_direct[i]
                          ? KeyInput{Kind::Output, inputs.ids[i].digest}
                          : KeyInput{Kind::Definition, inputs.definitions[i].digest});
      keys.record_inputs.push_back(inputs.ids[i]);
    }
  }
  keys.definition = definition_key(definition, parts);
  return {};
}

Status make_content(Op& op, const StepInputs& inputs, const std::string& definition,
                    StepKeys& keys) {
  std::vector<KeyInput> parts;
  for (std::size_t i = 0; i < inputs.results.size(); ++i) {
    if (is_selected(op, i)) {
      const Digest digest = TRY(selected_digest(op, inputs, keys, i));
      parts.push_back({Kind::Content, digest});
    } else {
      parts.push_back({Kind::Output, inputs.ids[i].digest});
    }
  }
  keys.content = content_key(definition, parts);
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

CacheRecord make_record(const StepKeys& keys, const Output& output) {
  return CacheRecord{.definition = keys.definition,
                     .content = keys.content,
                     .inputs = keys.record_inputs,
                     .output = output.id,
                     .body = output.body};
}

}  // namespace

Result<Probe> probe_step(Op& op, const StepInputs& inputs, CacheIndex& index, bool look_up) {
  Probe probe;
  StepKeys& keys = probe.keys;
  keys.selected.resize(inputs.results.size());
  const std::string definition = op.definition();
  TRY(make_definition(op, inputs, definition, keys));
  if (look_up) {
    std::vector<CacheRecord> records = TRY(index.find(keys.definition));
    std::erase_if(records,
                  [&](const CacheRecord& record) { return record.inputs != keys.record_inputs; });
    probe.hit = TRY(restore_any(op, inputs, records));
    if (probe.hit) {
      return probe;
    }
  }
  TRY(make_content(op, inputs, definition, keys));
  if (look_up) {
    const std::vector<CacheRecord> records = TRY(index.find(keys.content));
    probe.hit = TRY(restore_any(op, inputs, records));
    if (probe.hit) {
      TRY(index.add(make_record(keys, *probe.hit)));
    }
  }
  return probe;
}

Result<Output> run_step(Op& op, const StepKeys& keys, const StepInputs& inputs, CacheIndex& index,
                        bool look_up, const Cancel& cancel) {
  Output output = TRY(op.exec(inputs.results, inputs.ids, cancel));
  if (op.is_direct() || !output.cacheable) {
    return output;
  }
  const std::vector<CacheRecord> equal = TRY(index.find(output.id));
  std::optional<Output> earlier = TRY(restore_any(op, inputs, equal));
  if (!earlier && look_up) {
    const std::vector<CacheRecord> meanwhile = TRY(index.find(keys.content));
    earlier = TRY(restore_any(op, inputs, meanwhile));
  }
  if (earlier) {
    output = std::move(*earlier);
  }
  TRY(index.add(make_record(keys, output)));
  return output;
}

}  // namespace mybuild::solver
