// SPDX-License-Identifier: Apache-2.0
#include "frontend/dockerfile/stages.h"

#include "frontend/dockerfile/characters.h"
#include "frontend/dockerfile/epoch.h"
#include "frontend/dockerfile/expand.h"
#include "frontend/dockerfile/go_format.h"
#include "frontend/dockerfile/lint.h"
#include "frontend/dockerfile/main_context.h"
#include "frontend/dockerfile/parser.h"
#include "frontend/dockerfile/suggest.h"

#include <fmt/format.h>

#include <algorithm>

namespace mybuild::frontend {

namespace {

constexpr std::string_view kScratch = "scratch";
constexpr std::string_view kContext = "context";

/// How named contexts and image names are compared: docker's short form without ":latest".
std::string context_key(std::string_view name) {
  const auto reference = oci::Reference::parse(name);
  std::string key = reference ? reference->familiar() : std::string(name);
  constexpr std::string_view kLatest = ":latest";
  if (key.ends_with(kLatest)) {
    key.resize(key.size() - kLatest.size());
  }
  return key;
}

/// The context given for `name`, first "name::platform", then "name". Null when there is none. A
/// platform counts by what it means: BuildKit finds none for "name::linux/arm64/v8".
const std::pair<const std::string, NamedContext>* find_context(const FrontendInput& input,
                                                               const std::string& name,
                                                               const oci::Platform& platform) {
  if (input.contexts.empty() || equal_fold(name, kScratch)) {
    return nullptr;
  }
  const std::string wanted = context_key(name);
  const std::pair<const std::string, NamedContext>* general = nullptr;
  for (const auto& entry : input.contexts) {
    const auto colons = entry.first.find("::");
    if (context_key(std::string_view(entry.first).substr(0, colons)) != wanted) {
      continue;
    }
    if (colons == std::string::npos) {
      general = &entry;
    } else if (oci::parse_platform(entry.first.substr(colons + 2)).value_or(oci::Platform{}) ==
               platform) {
      return &entry;
    }
  }
  return general;
}

bool is_scratch(const oci::Reference& reference) {
  return reference.domain == "docker.io" && reference.repository == "library/scratch";
}

std::vector<KeyValue> platform_args(const oci::Platform& build, const oci::Platform& target,
                                    std::string_view target_stage) {
  return {
      {"BUILDPLATFORM", oci::to_string(build)},
      {"BUILDOS", build.os},
      {"BUILDOSVERSION", build.os_version},
      {"BUILDARCH", build.architecture},
      {"BUILDVARIANT", build.variant},
      {"TARGETPLATFORM", oci::to_string(target)},
      {"TARGETOS", target.os},
      {"TARGETOSVERSION", target.os_version},
      {"TARGETARCH", target.architecture},
      {"TARGETVARIANT", target.variant},
      {"TARGETSTAGE", std::string(target_stage.empty() ? "default" : target_stage)},
  };
}

}  // namespace

const std::string& PlannedStage::name() const {
  static const std::string kNone;
  return text == nullptr ? kNone : std::get<FromStep>(text->from.body).name;
}

Error StagePlan::at(Error error, LineRange lines) const {
  return std::move(error).at(source_->locate(lines));
}

Result<StagePlan> StagePlan::make(const FrontendInput& input, const Script& script,
                                  const SourceMap& source, const oci::Platform& platform,
                                  checks::Linter& linter, MetaResolver* times) {
  StagePlan plan(input, script, source, platform, linter);
  plan.set_platform_args();
  plan.check_default_bases();
  TRY(plan.read_global_args());
  TRY(plan.read_source_date_epoch(times));
  for (const StageText& text : script.stages) {
    TRY(plan.add_stage(text));
  }
  TRY(plan.find_target());
  TRY(plan.connect());
  TRY(plan.check_cycles());
  plan.mark_reachable();
  return plan;
}

Result<std::string> StagePlan::expand_global(const std::string& word, LineRange lines) const {
  auto text = expand(word, global_args_, {.escape = script_->escape});
  if (!text) {
    return at(std::move(text).error(), lines);
  }
  if (text->text.empty() && !text->unset.empty()) {
    const std::string& missing = text->unset.front();
    return at(invalid_argument("\"{}\" gives nothing: {} is not set", word, missing)
                  .with_hint(did_you_mean(missing, global_args_.names())),
              lines);
  }
  return std::move(text)->text;
}

void StagePlan::set_platform_args() {
  const FromStep& last = std::get<FromStep>(script_->stages.back().from.body);
  const auto& given = input_->build_args;
  const std::string& target = input_->target.empty() ? last.name : input_->target;
  for (const auto& [name, value] : platform_args(input_->build_platform, platform_, target)) {
    const auto override_value = given.find(name);
    global_args_.set(name, override_value == given.end() ? value : override_value->second);
  }
}

void StagePlan::check_default_bases() const {
  EnvList defaults = global_args_;
  for (const Step& step : script_->global_args) {
    for (const auto& argument : std::get<ArgStep>(step.body).arguments) {
      if (argument.value) {
        const auto value = expand(*argument.value, defaults, {.escape = script_->escape});
        if (!value) {
          return;  // the build fails on it
        }
        defaults.set(argument.name, value->text);
      }
    }
  }
  lint_default_bases(*script_, defaults, *linter_);
}

const std::vector<std::string>& StagePlan::declared_globals() {
  if (declared_globals_.empty()) {
    declared_globals_ = global_args_.names();
    for (const Step& step : script_->global_args) {
      for (const auto& argument : std::get<ArgStep>(step.body).arguments) {
        declared_globals_.push_back(argument.name);
      }
    }
    std::sort(declared_globals_.begin(), declared_globals_.end());
  }
  return declared_globals_;
}

Status StagePlan::read_global_args() {
  const auto& given = input_->build_args;
  for (const Step& step : script_->global_args) {
    for (const auto& argument : std::get<ArgStep>(step.body).arguments) {
      if (const auto found = given.find(argument.name); found != given.end()) {
        global_args_.set(argument.name, found->second);
      } else if (argument.value) {
        auto value = expand(*argument.value, global_args_, {.escape = script_->escape});
        if (!value) {
          return at(std::move(value).error(), step.lines);
        }
        global_args_.set(argument.name, value->text);
      }
    }
  }
  return {};
}

LineRange StagePlan::global_arg_lines(const std::string& name) const {
  LineRange lines;
  for (const Step& step : script_->global_args) {
    for (const auto& argument : std::get<ArgStep>(step.body).arguments) {
      lines = argument.name == name ? step.lines : lines;
    }
  }
  return lines;
}

Result<std::optional<std::int64_t>> StagePlan::epoch_of(const std::string& value,
                                                        MetaResolver* times) const {
  const auto* named = value == kContext ? nullptr : find_context(*input_, value, platform_);
  const EpochScope scope{.input = *input_,
                         .context = named == nullptr ? nullptr : &named->second,
                         .script = *script_,
                         .global_args = global_args_};
  const Epoch epoch = TRY(read_epoch(value, scope));
  if (const auto* seconds = std::get_if<std::int64_t>(&epoch)) {
    return std::optional(*seconds);
  }
  const auto* source = std::get_if<solver::SourceOp>(&epoch);
  if (source == nullptr || times == nullptr) {
    return std::optional<std::int64_t>();
  }
  auto time = times->source_time(*source);
  if (!time) {
    return std::move(time).error().context("SOURCE_DATE_EPOCH=" + value);
  }
  if (*time && !is_epoch(**time)) {
    return invalid_argument("SOURCE_DATE_EPOCH={}: an image cannot have its time, {}", value,
                            **time)
        .with_hint("give the seconds since 1970");
  }
  return *time;
}

Status StagePlan::read_source_date_epoch(MetaResolver* times) {
  const std::string name(kSourceDateEpoch);
  const auto given = build_args_.find(name);
  const std::string* global = global_args_.find(name);
  if (given == build_args_.end() && global == nullptr) {
    return {};
  }
  auto epoch = epoch_of(given != build_args_.end() ? given->second : *global, times);
  if (!epoch) {
    const bool is_ours = given == build_args_.end();
    return is_ours ? at(std::move(epoch).error(), global_arg_lines(name)) : epoch.error();
  }
  source_date_epoch_ = *epoch;
  const std::string seconds = source_date_epoch_ ? std::to_string(*source_date_epoch_) : "";
  if (given != build_args_.end()) {
    given->second = seconds;
  }
  if (global != nullptr) {
    global_args_.set(name, seconds);
  }
  return {};
}

Status StagePlan::add_stage(const StageText& text) {
  const FromStep& from = std::get<FromStep>(text.from.body);
  if (const auto word = expand(from.base, global_args_, {.escape = script_->escape});
      word && !word->unset.empty()) {
    lint_from_variables(text.from, *word, declared_globals(), *linter_);
  }
  PlannedStage stage;
  stage.text = &text;
  stage.lines = text.from.lines;
  stage.platform = platform_;
  stage.base = TRY(expand_global(from.base, stage.lines));
  if (stage.base.empty()) {
    return at(invalid_argument("base name ({}) should not be blank", from.base), stage.lines);
  }
  if (!from.platform.empty()) {
    TRY(set_platform(stage, text.from));
  }
  stage.replaced = !from.name.empty() && set_stage_context(stage, from.name);
  if (!stage.replaced) {
    TRY(set_base(stage));
  }
  if (!from.name.empty()) {
    by_name_[from.name] = static_cast<int>(stages_.size());
  }
  stages_.push_back(std::move(stage));
  return {};
}

Status StagePlan::set_platform(PlannedStage& stage, const Step& from) {
  const std::string& expression = std::get<FromStep>(from.body).platform;
  auto word = expand(expression, global_args_, {.escape = script_->escape});
  if (!word) {
    return at(std::move(word).error(), stage.lines);
  }
  if (!word->unset.empty()) {
    lint_from_variables(from, *word, declared_globals(), *linter_);
  }
  lint_from_platform(from, *word, global_args_, *linter_);
  const auto with_guess = [&](Error error) {
    const std::string guess =
        word->unset.empty() ? "" : did_you_mean(word->unset.front(), declared_globals());
    return at(guess.empty() ? std::move(error) : std::move(error).with_hint(guess), stage.lines);
  };
  if (word->text.empty()) {
    return with_guess(invalid_argument("empty platform value from expression {}", expression));
  }
  auto platform = oci::parse_platform(word->text);
  if (!platform) {
    return with_guess(
        std::move(platform).error().context("failed to parse platform " + expression));
  }
  stage.platform = *platform;
  return {};
}

Status StagePlan::set_base(PlannedStage& stage) {
  if (const auto found = by_name_.find(stage.base); found != by_name_.end()) {
    stage.origin = PlannedStage::Origin::Stage;
    stage.parent = found->second;
    stage.platform = stages_[static_cast<std::size_t>(stage.parent)].platform;
    return {};
  }
  if (stage.base == kScratch) {
    stage.origin = PlannedStage::Origin::Scratch;
    stage.platform = platform_;
    return {};
  }
  return set_stage_context(stage, stage.base) ? Status() : set_image(stage, stage.base);
}

Status StagePlan::set_image(PlannedStage& stage, const std::string& name) {
  auto reference = oci::Reference::parse(name);
  if (!reference) {
    Error error = std::move(reference).error().context(
        fmt::format("failed to parse stage name \"{}\"", name));
    if (const std::string hint = did_you_mean(name, names()); !hint.empty()) {
      error = std::move(error).with_hint(hint);
    }
    return at(std::move(error), stage.lines);
  }
  stage.origin = PlannedStage::Origin::Image;
  stage.request = ImageRequest{std::move(reference).value(), name, stage.platform};
  return {};
}

/// A context called "context" is for --from= only, as for BuildKit.
bool StagePlan::set_stage_context(PlannedStage& stage, const std::string& name) {
  return !equal_fold(name, kContext) && set_context(stage, name);
}

bool StagePlan::set_context(PlannedStage& stage, const std::string& name) {
  const auto* found = find_context(*input_, name, stage.platform);
  if (found == nullptr) {
    return false;
  }
  stage.context = found->first;
  stage.directory = directory_of(found->first, found->second);
  stage.origin = stage.directory ? PlannedStage::Origin::Directory : PlannedStage::Origin::Image;
  if (const auto* layout = std::get_if<LayoutContext>(&found->second)) {
    stage.request = ImageRequest{*layout, name, stage.platform};
  } else if (const auto* image = std::get_if<ImageContext>(&found->second)) {
    const oci::Reference& reference = image->reference;
    if (is_scratch(reference)) {
      stage.origin = PlannedStage::Origin::Scratch;
    } else {
      stage.request = ImageRequest{reference, reference.familiar(), stage.platform};
    }
  }
  return true;
}

std::vector<std::string> StagePlan::names() const {
  std::vector<std::string> out;
  for (const auto& [name, index] : by_name_) {
    out.push_back(name);
  }
  return out;
}

std::string StagePlan::name_or_number(int index) const {
  const std::string& name = stage(index).name();
  return name.empty() ? fmt::format("stage-{}", index) : name;
}

std::string StagePlan::shown_name(int index) const {
  return single_ ? std::string() : name_or_number(index);
}

Status StagePlan::find_target() {
  target_ = size() - 1;
  if (input_->target.empty()) {
    return {};
  }
  if (const auto found = by_name_.find(to_lower(input_->target)); found != by_name_.end()) {
    target_ = found->second;
    return {};
  }
  if (const auto index = parse_go_int(input_->target); index && *index >= 0 && *index < size()) {
    target_ = *index;
    return {};
  }
  return not_found("target stage \"{}\" could not be found", input_->target)
      .with_hint(did_you_mean(input_->target, names()));
}

Result<int> StagePlan::find_source(const std::string& name, LineRange lines) {
  if (const auto found = by_name_.find(to_lower(name)); found != by_name_.end()) {
    return found->second;
  }
  if (const auto index = parse_go_int(name)) {
    if (*index < 0 || *index >= static_cast<int>(script_->stages.size())) {
      return at(invalid_argument("invalid stage index {}", *index)
                    .with_hint(fmt::format("the file has {} stages, counted from 0",
                                           script_->stages.size())),
                lines);
    }
    return *index;
  }
  const auto [found, is_new] = images_.emplace(name, size());
  if (is_new) {
    PlannedStage image;
    image.base = name;
    image.lines = lines;
    image.platform = platform_;
    if (name != kScratch && !set_context(image, name)) {
      TRY(set_image(image, name));
    }
    stages_.push_back(std::move(image));
  }
  return found->second;
}

Result<int> StagePlan::copy_source(const std::string& from, LineRange lines) {
  const auto expanded = expand(from, EnvList(), {.escape = script_->escape});
  if (!expanded || expanded->text != from) {
    return at(invalid_argument("variable expansion is not supported for --from")
                  .with_hint("define a new stage with FROM using ARG from global scope"),
              lines);
  }
  return find_source(from, lines);
}

Result<PlannedStep> StagePlan::plan_step(const Step& step, bool on_build) {
  PlannedStep planned{&step, {}, on_build};
  if (const auto* copy = std::get_if<CopyStep>(&step.body);
      copy != nullptr && !copy->from.empty()) {
    const int source = TRY(copy_source(copy->from, step.lines));
    planned.sources.push_back(source);
  }
  if (const auto* run = std::get_if<RunStep>(&step.body)) {
    for (const std::string& from : run->mount_froms) {
      const int source = TRY(from.empty() ? Result<int>(kNoStage) : find_source(from, step.lines));
      planned.sources.push_back(source);
    }
  }
  return planned;
}

Status StagePlan::connect() {
  single_ = script_->stages.size() == 1;
  for (std::size_t i = 0; i < script_->stages.size(); ++i) {
    PlannedStage& planned = stages_[i];
    if (planned.replaced) {
      continue;
    }
    for (const Step& step : planned.text->steps) {
      auto next = TRY(plan_step(step, false));
      const bool has_mounts = std::holds_alternative<RunStep>(step.body) && !next.sources.empty();
      single_ = single_ && !has_mounts;
      planned.steps.push_back(std::move(next));
    }
  }
  single_ = single_ && images_.empty();
  return {};
}

Status StagePlan::check_cycles() const {
  enum class Mark { New, Open, Done };
  struct Visit {
    int stage;
    std::size_t step = 0;
    std::size_t source = 0;
  };
  std::vector<Mark> marks(stages_.size(), Mark::New);
  for (int start = 0; start < size(); ++start) {
    std::vector<Visit> stack;
    if (marks[static_cast<std::size_t>(start)] == Mark::New) {
      stack.push_back({start});
    }
    while (!stack.empty()) {
      Visit& visit = stack.back();
      Mark& mark = marks[static_cast<std::size_t>(visit.stage)];
      mark = Mark::Open;
      const PlannedStage& planned = stage(visit.stage);
      if (visit.step == planned.steps.size()) {
        mark = Mark::Done;
        stack.pop_back();
        continue;
      }
      const PlannedStep& step = planned.steps[visit.step];
      if (visit.source == step.sources.size()) {
        ++visit.step;
        visit.source = 0;
        continue;
      }
      const int source = step.sources[visit.source++];
      if (source == kNoStage || marks[static_cast<std::size_t>(source)] == Mark::Done) {
        continue;
      }
      if (marks[static_cast<std::size_t>(source)] == Mark::Open) {
        return at(
            invalid_argument("circular dependency detected on stage: {}", name_or_number(source)),
            step.step->lines);
      }
      stack.push_back({source});
    }
  }
  return {};
}

void StagePlan::mark_reachable() {
  std::vector<int> todo{target_};
  for (PlannedStage& planned : stages_) {
    planned.reachable = false;
  }
  if (input_->purpose == Purpose::Check && input_->target.empty()) {
    for (int index = 0; index < static_cast<int>(script_->stages.size()); ++index) {
      todo.push_back(index);
    }
  }
  while (!todo.empty()) {
    PlannedStage& planned = stage(todo.back());
    todo.pop_back();
    if (std::exchange(planned.reachable, true)) {
      continue;
    }
    if (planned.parent != kNoStage) {
      todo.push_back(planned.parent);
    }
    for (const PlannedStep& step : planned.steps) {
      std::copy_if(step.sources.begin(), step.sources.end(), std::back_inserter(todo),
                   [](int source) { return source != kNoStage; });
    }
  }
}

std::vector<int> StagePlan::unresolved() const {
  std::vector<int> out;
  for (int i = 0; i < size(); ++i) {
    const PlannedStage& planned = stage(i);
    if (planned.reachable && planned.request && !planned.image) {
      out.push_back(i);
    }
  }
  return out;
}

Status StagePlan::add_triggers_to(PlannedStage& planned, const std::vector<std::string>& triggers) {
  std::vector<PlannedStep> steps;
  for (const std::string& trigger : triggers) {
    const SourceMap text("ONBUILD", trigger);
    auto document = parse(text, trigger);
    if (!document) {
      return at(std::move(document).error().context("ONBUILD trigger of " + planned.base),
                planned.lines);
    }
    if (document->nodes.size() != 1) {
      return at(invalid_argument("onbuild trigger should be a single expression"), planned.lines);
    }
    auto step = parse_step(document->nodes[0]);
    if (!step) {
      return at(std::move(step).error().context("ONBUILD trigger of " + planned.base),
                planned.lines);
    }
    if (std::holds_alternative<FromStep>(step->body)) {
      return at(invalid_argument("FROM isn't allowed as an ONBUILD trigger"), planned.lines);
    }
    step->lines = planned.lines;
    trigger_steps_.push_back(std::move(step).value());
    auto next = TRY(plan_step(trigger_steps_.back(), true));
    steps.push_back(std::move(next));
  }
  planned.steps.insert(planned.steps.begin(), std::make_move_iterator(steps.begin()),
                       std::make_move_iterator(steps.end()));
  return {};
}

Result<bool> StagePlan::add_triggers() {
  for (std::size_t i = 0; i < script_->stages.size(); ++i) {
    PlannedStage& planned = stages_[i];
    if (!planned.reachable || planned.replaced || std::exchange(planned.triggers_added, true)) {
      continue;
    }
    std::vector<std::string> triggers;
    if (planned.image) {
      triggers = planned.image->config.on_build;
    } else if (planned.parent != kNoStage && stage(planned.parent).text != nullptr) {
      for (const Step& step : stage(planned.parent).text->steps) {
        if (const auto* on_build = std::get_if<OnbuildStep>(&step.body)) {
          triggers.push_back(on_build->expression);
        }
      }
    }
    TRY(add_triggers_to(planned, triggers));
  }
  TRY(check_cycles());
  mark_reachable();
  return !unresolved().empty();
}

}  // namespace mybuild::frontend
