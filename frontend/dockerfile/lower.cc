// SPDX-License-Identifier: Apache-2.0
#include "frontend/dockerfile/lower.h"

#include "frontend/dockerfile/characters.h"
#include "frontend/dockerfile/main_context.h"

#include <fmt/format.h>

#include <algorithm>

namespace mybuild::frontend {

namespace {

template <class... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};
template <class... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;  // clang 14 does not deduce it

std::string base_name(const ImageRequest& request, const ImageMeta& image) {
  if (const auto* reference = std::get_if<oci::Reference>(&request.source)) {
    oci::Reference plain = *reference;
    plain.digest.reset();
    return plain.str();
  }
  return request.display + "@" + image.id.str();
}

}  // namespace

Result<std::string> StepContext::expand_word(std::string_view word) {
  auto expanded = TRY(expand(word, state.image.env(), {.escape = build.plan().escape()}));
  if (!expanded.unset.empty()) {
    build.inspector().see_unset(step(), expanded.unset, state.image);
  }
  return std::move(expanded.text);
}

WordExpander StepContext::expander() {
  return [this](std::string_view word) { return expand_word(word); };
}

solver::VertexMeta StepContext::meta(std::string_view text) {
  return solver::VertexMeta{
      .name = namer.next(with_upper_verb(text), &state.image.env(), planned.on_build),
      .location = build.plan().source().locate(step().lines),
      .ignore_cache = no_cache};
}

Result<std::optional<solver::Edge>> StepContext::source_tree(std::size_t index,
                                                             std::string_view use) {
  const int source = planned.sources[index];
  const StageState* found = build.find(source);
  if (found == nullptr) {
    return invalid_argument("cannot {} stage \"{}\"", use, build.plan().shown_name(source))
        .with_hint("it needs to be defined before the stage that uses it");
  }
  return found->root;
}

Lowering::Lowering(const StagePlan& plan, solver::GraphBuilder& graph, bool multi_platform)
    : plan_(plan),
      graph_(graph),
      multi_platform_(multi_platform),
      inspector_(plan),
      states_(static_cast<std::size_t>(plan.size())),
      children_(states_.size()) {
  for (int index = 0; index < plan.size(); ++index) {
    const PlannedStage& stage = plan.stage(index);
    if (stage.reachable && stage.parent != kNoStage) {
      ++children_[static_cast<std::size_t>(stage.parent)];
    }
  }
}

const StageState* Lowering::find(int stage) const {
  const auto& state = states_[static_cast<std::size_t>(stage)];
  return state ? &*state : nullptr;
}

solver::Edge Lowering::build_context() {
  return lower_main_context(graph_, input().context, plan_.platform());
}

solver::Edge Lowering::inline_file(const std::string& name, const std::string& content,
                                   std::uint32_t mode, const oci::Platform& platform) {
  solver::FileOp op{.has_base = false, .actions = {}};
  op.actions.push_back(solver::MakeFileAction{"/" + name, content, mode});
  return graph_.add(std::move(op), {}, platform,
                    {.name = "[internal] preparing inline document", .location = {}});
}

StageState Lowering::start_from_image(const PlannedStage& stage, StepNamer& namer) {
  const ImageMeta& image = *stage.image;
  StageState state{.root = {},
                   .image = ImageState(image.config),
                   .platform = stage.platform,
                   .base_layers = image.config.diff_ids.size()};
  state.image.config.created.reset();
  // What nobody here knows (container_config, an inline cache) is not true of the new image.
  state.image.config.unknown_top.clear();
  state.image.config.unknown_config.clear();
  state.image.config.on_build.clear();
  const std::string reference = base_name(*stage.request, image);
  if (state.base_layers == 0) {
    return state;
  }
  std::string name;
  if (!stage.context.empty()) {
    name = fmt::format("[context {}] {}", stage.context, reference);
  } else {
    const std::string text = fmt::format("FROM {}@{}", reference, image.id.str());
    name = namer.next(text, nullptr, false);
  }
  solver::ImageSource source{
      .reference = reference,
      .manifest = image.id,
      .chain = oci::chain_id(image.config.diff_ids, image.config.diff_ids.size())};
  state.root = graph_.add(solver::SourceOp{std::move(source)}, {}, stage.platform,
                          {.name = std::move(name),
                           .location = plan_.source().locate(stage.lines),
                           .ignore_cache = false});
  return state;
}

StageState Lowering::start_from_directory(const PlannedStage& stage) {
  StageState state{.root = {},
                   .image = ImageState(scratch_config(stage.platform)),
                   .platform = stage.platform,
                   .base_layers = 0};
  state.root = graph_.add(*stage.directory, {}, stage.platform,
                          {.name = context_name(stage.context, *stage.directory), .location = {}});
  return state;
}

/// Steps, and exporters, work on layers: a directory that something is built on becomes one.
solver::Edge Lowering::as_layer(const PlannedStage& stage, solver::Edge directory) {
  solver::FileOp op{.has_base = false, .actions = {}};
  solver::CopyAction all;
  all.sources = {"/"};
  all.dest = "/";
  op.actions.emplace_back(std::move(all));
  return graph_.add(
      std::move(op), {directory}, stage.platform,
      {.name = fmt::format("[context {}] make a layer", stage.context), .location = {}});
}

StageState Lowering::start_from_stage(int index) {
  // What is beside the tree grows with the chain of stages, so the last stage to need it takes it.
  StageState& parent = *states_[static_cast<std::size_t>(index)];
  const bool is_last = --children_[static_cast<std::size_t>(index)] == 0;
  ImageState image = is_last ? std::move(parent.image) : parent.image;
  return {.root = parent.root,
          .image = std::move(image).inherit(),
          .platform = parent.platform,
          .base_layers = parent.base_layers};
}

StageState Lowering::start(const PlannedStage& stage, StepNamer& namer) {
  switch (stage.origin) {
    case PlannedStage::Origin::Image:
      return start_from_image(stage, namer);
    case PlannedStage::Origin::Directory:
      return start_from_directory(stage);
    case PlannedStage::Origin::Stage:
      return start_from_stage(stage.parent);
    case PlannedStage::Origin::Scratch:
      break;
  }
  return {.root = {},
          .image = ImageState(scratch_config(stage.platform)),
          .platform = stage.platform,
          .base_layers = 0};
}

int Lowering::count_steps(const PlannedStage& stage) const {
  int count =
      stage.origin == PlannedStage::Origin::Image || stage.origin == PlannedStage::Origin::Directory
          ? 1
          : 0;
  for (const PlannedStep& planned : stage.steps) {
    const auto& body = planned.step->body;
    const bool makes_layer = std::holds_alternative<RunStep>(body) ||
                             std::holds_alternative<CopyStep>(body) ||
                             std::holds_alternative<WorkdirStep>(body);
    count += makes_layer || planned.on_build ? 1 : 0;
  }
  return count;
}

bool Lowering::ignores_cache(const PlannedStage& stage) const {
  const auto& filter = input().no_cache_filter;
  return input().no_cache || std::any_of(filter.begin(), filter.end(), [&](const std::string& n) {
           return equal_fold(n, stage.name());
         });
}

Status Lowering::lower_step(StepContext& context) {
  const WordExpander expander = context.expander();
  ImageState& image = context.state.image;
  const ArgScope scope{plan_.build_args(), plan_.global_args()};
  const WordsExpander words = [&](std::string_view word) -> Result<std::vector<std::string>> {
    auto ports = TRY(expand_words(word, image.env(), {.escape = plan_.escape()}));
    for (const std::string& port : ports) {
      inspector_.see_port(context.step(), port);
    }
    return ports;
  };
  inspector_.see(context.step(), image);
  return std::visit(
      Overloaded{
          [&](const RunStep& step) { return lower_run(context, step); },
          [&](const CopyStep& step) { return lower_copy(context, step); },
          [&](const WorkdirStep& step) { return lower_workdir(context, step); },
          [&](const ArgStep& step) -> Status {
            TRY(apply(step, expander, scope, image));
            inspector_.see_arg(context.step(), step, image);
            return {};
          },
          [&](const EnvStep& step) { return apply(step, expander, image); },
          [&](const LabelStep& step) { return apply(step, expander, image); },
          [&](const UserStep& step) { return apply(step, expander, image); },
          [&](const VolumeStep& step) { return apply(step, expander, image); },
          [&](const ExposeStep& step) { return apply(step, words, image); },
          [&](const StopSignalStep& step) { return apply(step, expander, image); },
          [&](const FromStep&) -> Status { return internal_error("FROM inside a stage"); },
          [&](const auto& step) { return apply(step, image); },
      },
      context.step().body);
}

Status Lowering::lower_stage(int index) {
  const PlannedStage& stage = plan_.stage(index);
  const bool is_step_only = stage.text == nullptr;
  StepNamer namer(is_step_only ? std::string() : plan_.shown_name(index),
                  is_step_only || stage.replaced ? 0 : count_steps(stage),
                  multi_platform_ ? std::optional(stage.platform) : std::nullopt);
  StageState state = start(stage, namer);
  inspector_.start_stage(index);
  const bool is_base = !stage.steps.empty() || index == plan_.target() ||
                       children_[static_cast<std::size_t>(index)] > 0;
  if (stage.origin == PlannedStage::Origin::Directory && is_base) {
    state.root = as_layer(stage, *state.root);
  }
  if (!stage.is_given() && (stage.parent == kNoStage || plan_.stage(stage.parent).is_given())) {
    state.image.start();
  }
  for (const PlannedStep& planned : stage.steps) {
    StepContext context{*this, state, planned, namer, ignores_cache(stage)};
    auto done = lower_step(context);
    const bool passed_over =
        !done && input().purpose != Purpose::Build &&
        (done.error().kind() == ErrorKind::Unsupported || !inspector_.knows_base());
    if (!done && !passed_over) {
      return std::move(done).error().at(plan_.source().locate(planned.step->lines));
    }
  }
  if (children_[static_cast<std::size_t>(index)] == 0 && index != plan_.target()) {
    state.image = ImageState({});
  }
  states_[static_cast<std::size_t>(index)] = std::move(state);
  return {};
}

Result<Target> Lowering::run() {
  for (const bool given : {true, false}) {
    for (int index = 0; index < plan_.size(); ++index) {
      if (plan_.stage(index).reachable && plan_.stage(index).is_given() == given) {
        TRY(lower_stage(index));
      }
    }
  }
  return finish(std::move(*states_[static_cast<std::size_t>(plan_.target())]));
}

Target Lowering::finish(StageState state) const {
  Target target{.platform = plan_.platform(),
                .root = state.root,
                .config = std::move(state.image.config),
                .base_layers = state.base_layers};
  for (const auto& [key, value] : input().labels) {
    target.config.labels[key] = value;
  }
  oci::Platform& platform = target.config.platform;
  if (input().platforms_given || platform.architecture.empty()) {
    const bool same = platform.os == plan_.platform().os &&
                      platform.architecture == plan_.platform().architecture;
    const oci::Platform old = std::exchange(platform, plan_.platform());
    if (same && platform.variant.empty()) {
      platform.variant = old.variant;
    }
    if (same && platform.os_version.empty()) {
      platform.os_version = old.os_version;
    }
  }
  return target;
}

}  // namespace mybuild::frontend
