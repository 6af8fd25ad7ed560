// SPDX-License-Identifier: Apache-2.0
#include "builder/explain/facts.h"

#include "snapshotter/base/json.h"

namespace mybuild::explain {

namespace {

constexpr std::int64_t kVersion = 1;
constexpr std::int64_t kNoStep = -1;

Json to_json(const Fact& fact) {
  const std::int64_t step = fact.step ? static_cast<std::int64_t>(*fact.step) : kNoStep;
  return Json::array({static_cast<int>(fact.kind), fact.place, fact.name, fact.value, fact.shown,
                      fact.origin, step});
}

Result<std::vector<JsonField>> fields_of(const JsonField& value, std::size_t count) {
  std::vector<JsonField> fields = TRY(value.items());
  if (fields.size() != count) {
    return value.error(fmt::format("{} fields", count));
  }
  return fields;
}

Result<Fact> fact_of(const JsonField& value, std::size_t steps) {
  const std::vector<JsonField> fields = TRY(fields_of(value, 7));
  Fact fact;
  const std::int64_t kind = TRY(fields[0].integer());
  if (kind < 0 || kind > static_cast<std::int64_t>(FactKind::Step)) {
    return value.error("a kind that is known");
  }
  fact.kind = static_cast<FactKind>(kind);
  fact.place = TRY(fields[1].string());
  fact.name = TRY(fields[2].string());
  fact.value = TRY(fields[3].string());
  fact.shown = TRY(fields[4].string());
  fact.origin = TRY(fields[5].string());
  const std::int64_t step = TRY(fields[6].integer());
  if (step >= static_cast<std::int64_t>(steps)) {
    return value.error("a step of the same build");
  }
  if (step >= 0) {
    fact.step = static_cast<std::uint32_t>(step);
  }
  return fact;
}

Result<StepFacts> step_of(const JsonField& value, std::size_t steps) {
  const std::vector<JsonField> fields = TRY(fields_of(value, 3));
  StepFacts step;
  step.name = TRY(fields[0].string());
  step.line = static_cast<int>(TRY(fields[1].integer()));
  for (const JsonField& fact : TRY(fields[2].items())) {
    step.facts.push_back(TRY(fact_of(fact, steps)));
  }
  return step;
}

}  // namespace

std::string encode(const std::vector<StepFacts>& steps) {
  Json list = Json::array();
  for (const StepFacts& step : steps) {
    Json facts = Json::array();
    for (const Fact& fact : step.facts) {
      facts.push_back(to_json(fact));
    }
    list.push_back(Json::array({step.name, step.line, std::move(facts)}));
  }
  return canonical_dump(Json{{"version", kVersion}, {"steps", std::move(list)}});
}

Result<std::vector<StepFacts>> decode_steps(std::string_view text) {
  const Json json = TRY(parse_json(text));
  const JsonField root(json, "");
  const JsonField version = TRY(root.field("version"));
  if (TRY(version.integer()) != kVersion) {
    return unsupported("the facts of this build were written by another version of mybuild");
  }
  const JsonField list = TRY(root.field("steps"));
  const std::vector<JsonField> items = TRY(list.items());
  std::vector<StepFacts> steps;
  for (const JsonField& item : items) {
    steps.push_back(TRY(step_of(item, items.size())));
  }
  return steps;
}

std::string encode(const Subject& subject) {
  return canonical_dump(Json{{"dockerfile", subject.dockerfile},
                             {"context", subject.context},
                             {"target", subject.target},
                             {"platforms", subject.platforms}});
}

Result<Subject> decode_subject(std::string_view text) {
  const Json json = TRY(parse_json(text));
  const JsonField root(json, "");
  const JsonField dockerfile = TRY(root.field("dockerfile"));
  const JsonField context = TRY(root.field("context"));
  const JsonField target = TRY(root.field("target"));
  const JsonField platforms = TRY(root.field("platforms"));
  Subject subject;
  subject.dockerfile = TRY(dockerfile.string());
  subject.context = TRY(context.string());
  subject.target = TRY(target.string());
  subject.platforms = TRY(platforms.strings());
  return subject;
}

}  // namespace mybuild::explain
