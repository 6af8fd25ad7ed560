// SPDX-License-Identifier: Apache-2.0
// What --call asks of a Dockerfile: the same passes as a build, and then nothing is built.
#include "frontend/dockerfile/lint.h"
#include "frontend/dockerfile/lower.h"
#include "frontend/dockerfile/parser.h"
#include "frontend/dockerfile/passes.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace mybuild::frontend {

namespace {

bool is_wrong_instruction(const FrontendInput& input, int line) {
  const SourceMap source(input.file_name, input.text);
  const auto document = parse(source, input.text);
  return document && std::any_of(document->nodes.begin(), document->nodes.end(), [&](auto& node) {
           return node.lines.first == line && !parse_step(node);
         });
}

/// Tools know an instruction that is wrong by itself by BuildKit's words.
Error parse_error(const FrontendInput& input, Error error) {
  const SourceLocation* place = error.location();
  if (place == nullptr || !is_wrong_instruction(input, place->first_line)) {
    return error;
  }
  return std::move(error).context(
      fmt::format("dockerfile parse error on line {}", place->first_line));
}

std::vector<std::string> unknown_images(const StagePlan& plan) {
  std::vector<std::string> out;
  for (int index = 0; index < plan.size(); ++index) {
    const PlannedStage& stage = plan.stage(index);
    if (stage.image_unknown && std::find(out.begin(), out.end(), stage.base) == out.end()) {
      out.push_back(stage.base);
    }
  }
  return out;
}

struct Passed {
  checks::Outline outline;
  std::vector<std::string> unknown;
};

Result<Passed> pass_all(const FrontendInput& input, MetaResolver& resolver,
                        checks::Linter& linter) {
  auto reading = read_dockerfile(input, linter);
  if (!reading) {
    return parse_error(input, std::move(reading).error());
  }
  checks::Linter silent;
  std::vector<StagePlan> plans = TRY(make_plans(input, *reading, linter, silent, nullptr));
  TRY(resolve_all(plans, resolver));
  solver::GraphBuilder graph;
  Lowering lowering(plans.front(), graph, false);
  TRY(lowering.run());
  TRY(linter.verdict());
  return Passed{lowering.inspector().outline(), unknown_images(plans.front())};
}

checks::SourceText source_of(const FrontendInput& input) {
  return {.file = input.file_name, .path = {}, .text = input.text};
}

}  // namespace

std::vector<solver::Warning> warnings_of(const std::vector<checks::Finding>& findings) {
  std::vector<solver::Warning> out;
  std::set<std::pair<std::string, int>> seen;
  for (const checks::Finding& finding : findings) {
    const checks::RuleInfo& rule = info(finding.rule);
    std::string title = title_of(finding);
    if (!seen.emplace(title, finding.location.first_line).second) {
      continue;
    }
    std::string detail(rule.description);
    if (const std::string address = url(rule); !address.empty()) {
      detail += "\nMore info: " + address;
    }
    out.push_back({std::move(title), std::move(detail), finding.location});
  }
  return out;
}

checks::CheckReport check_dockerfile(FrontendInput input, MetaResolver& resolver) {
  input.purpose = Purpose::Check;
  checks::Linter linter;
  checks::CheckReport report{
      .source = source_of(input), .findings = {}, .unknown = {}, .error = {}};
  if (auto passed = pass_all(input, resolver, linter); passed) {
    report.unknown = std::move(passed->unknown);
  } else {
    report.error = std::move(passed).error();
  }
  report.findings = linter.findings();
  std::stable_sort(report.findings.begin(), report.findings.end(),
                   [](const checks::Finding& a, const checks::Finding& b) {
                     return a.location.first_line < b.location.first_line;
                   });
  return report;
}

Result<checks::Outline> outline_dockerfile(FrontendInput input, MetaResolver& resolver) {
  input.purpose = Purpose::Outline;
  checks::Linter linter;
  linter.mute();
  Passed passed = TRY(pass_all(input, resolver, linter));
  passed.outline.source = source_of(input);
  return std::move(passed.outline);
}

Result<checks::TargetList> list_targets(const FrontendInput& input) {
  checks::Linter linter;
  linter.mute();
  const Reading reading = TRY(read_dockerfile(input, linter));
  checks::TargetList list{.targets = {}, .source = source_of(input)};
  for (const StageText& stage : reading.script.stages) {
    const FromStep& from = std::get<FromStep>(stage.from.body);
    list.targets.push_back({.name = from.name,
                            .description = description_of(stage.from.comments, from.name),
                            .base = from.base,
                            .platform = from.platform,
                            .is_default = &stage == &reading.script.stages.back(),
                            .lines = {stage.from.lines.first, stage.from.lines.last}});
  }
  return list;
}

}  // namespace mybuild::frontend
