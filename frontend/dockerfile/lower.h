// SPDX-License-Identifier: Apache-2.0
// Lowering: a resolved StagePlan becomes vertices and one image config per stage. Stages are taken
// in the order of the file; those that the target does not reach are not touched.
// Thread-compatible.
#pragma once

#include "frontend/dockerfile/expand.h"
#include "frontend/dockerfile/image_state.h"
#include "frontend/dockerfile/inspector.h"
#include "frontend/dockerfile/stages.h"
#include "frontend/dockerfile/step_namer.h"
#include "solver/graph/graph.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mybuild::frontend {

/// What a stage has come to.
struct StageState {
  std::optional<solver::Edge> root;  // nullopt: an empty tree
  ImageState image;
  oci::Platform platform;
  std::size_t base_layers = 0;
};

class Lowering;

/// What lowering one step works with.
struct StepContext {
  Lowering& build;
  StageState& state;
  const PlannedStep& planned;
  StepNamer& namer;
  bool no_cache = false;

  const Step& step() const { return *planned.step; }
  /// Expansion with the variables as they are now; the inspector hears of what is not set.
  Result<std::string> expand_word(std::string_view word);
  WordExpander expander();
  /// The name and the place of the step's vertex; counts the step.
  solver::VertexMeta meta(std::string_view text);
  /// The tree of one of the step's sources; nullopt: an empty one.
  Result<std::optional<solver::Edge>> source_tree(std::size_t index, std::string_view use);
};

Status lower_run(StepContext& context, const RunStep& step);
Status lower_copy(StepContext& context, const CopyStep& step);
Status lower_workdir(StepContext& context, const WorkdirStep& step);

class Lowering {
 public:
  /// `multi_platform`: the names of vertices say which platform they are for.
  Lowering(const StagePlan& plan, solver::GraphBuilder& graph, bool multi_platform);

  /// Once.
  Result<Target> run();

  const FrontendInput& input() const { return plan_.input(); }
  const StagePlan& plan() const { return plan_; }
  solver::GraphBuilder& graph() { return graph_; }
  Inspector& inspector() { return inspector_; }
  solver::Edge build_context();
  /// A tree with one file in it, for a heredoc.
  solver::Edge inline_file(const std::string& name, const std::string& content, std::uint32_t mode,
                           const oci::Platform& platform);
  /// Null when the stage has not been lowered yet.
  const StageState* find(int stage) const;

 private:
  StageState start(const PlannedStage& stage, StepNamer& namer);
  StageState start_from_image(const PlannedStage& stage, StepNamer& namer);
  StageState start_from_directory(const PlannedStage& stage);
  StageState start_from_stage(int index);
  solver::Edge as_layer(const PlannedStage& stage, solver::Edge directory);
  Status lower_stage(int index);
  Status lower_step(StepContext& context);
  int count_steps(const PlannedStage& stage) const;
  bool ignores_cache(const PlannedStage& stage) const;
  Target finish(StageState state) const;

  const StagePlan& plan_;
  solver::GraphBuilder& graph_;
  bool multi_platform_;
  Inspector inspector_;
  std::vector<std::optional<StageState>> states_;
  std::vector<int> children_;  // stages still to come that start from each
};

}  // namespace mybuild::frontend
