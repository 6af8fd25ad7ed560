// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_client/left_steps.h"

#include "snapshotter/base/json.h"

namespace mybuild::cache_client {

namespace {

using solver::CacheRecord;

Json to_json(const CacheRecord& record) {
  Json inputs = Json::array();
  for (const solver::OutputId& input : record.inputs) {
    inputs.push_back(input.digest.str());
  }
  return Json{{"definition", record.definition.digest.str()},
              {"content", record.content.digest.str()},
              {"inputs", std::move(inputs)},
              {"output", record.output.digest.str()},
              {"body", record.body},
              {"step", record.run->step},
              {"took_ms", record.run->took.count()}};
}

Result<Digest> read_digest(const JsonField& object, std::string_view name) {
  const JsonField field = TRY(object.field(name));
  const std::string text = TRY(field.string());
  return Digest::parse(text);
}

Result<CacheRecord> read_step(const JsonField& object) {
  CacheRecord record;
  record.definition.digest = TRY(read_digest(object, "definition"));
  record.content.digest = TRY(read_digest(object, "content"));
  record.output.digest = TRY(read_digest(object, "output"));
  const JsonField inputs = TRY(object.field("inputs"));
  for (const std::string& text : TRY(inputs.strings())) {
    const Digest digest = TRY(Digest::parse(text));
    record.inputs.push_back({digest});
  }
  const JsonField body = TRY(object.field("body"));
  const JsonField step = TRY(object.field("step"));
  const JsonField took = TRY(object.field("took_ms"));
  record.body = TRY(body.string());
  solver::StepRun run;
  run.step = TRY(step.string());
  run.took = std::chrono::milliseconds(TRY(took.integer()));
  record.run = std::move(run);
  return record;
}

}  // namespace

std::string dump(const LeftSteps& left) {
  Json steps = Json::array();
  for (const CacheRecord& step : left.steps) {
    steps.push_back(to_json(step));
  }
  return canonical_dump(Json{{"server", left.server}, {"steps", std::move(steps)}});
}

Result<LeftSteps> parse_left_steps(std::string_view text) {
  const Json json = TRY(parse_json(text));
  const JsonField root(json, "");
  const JsonField server = TRY(root.field("server"));
  const JsonField steps = TRY(root.field("steps"));
  LeftSteps left;
  left.server = TRY(server.string());
  for (const JsonField& step : TRY(steps.items())) {
    left.steps.push_back(TRY(read_step(step)));
  }
  return left;
}

}  // namespace mybuild::cache_client
