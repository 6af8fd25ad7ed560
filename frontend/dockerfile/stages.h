// SPDX-License-Identifier: Apache-2.0
// StagePlan: the stages of a Dockerfile for one target platform: what each starts from, which other
// stages and images its steps need, which of all that the target reaches, and the global ARGs.
// Grows when base images bring ONBUILD triggers. Thread-compatible.
#pragma once

#include "frontend/dockerfile/env_list.h"
#include "frontend/dockerfile/instructions.h"
#include "frontend/frontend.h"

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace mybuild::frontend {

inline constexpr int kNoStage = -1;

struct PlannedStep {
  const Step* step = nullptr;
  std::vector<int> sources;  // COPY --from: one; RUN: one for each mount; kNoStage = none named
  bool on_build = false;
};

/// A stage of the file, or an image or context that only a step names.
struct PlannedStage {
  enum class Origin { Scratch, Stage, Image, Directory };

  const StageText* text = nullptr;  // null: named by a step only
  std::string base;                 // expanded
  std::string context;              // the named context that took the place of the base; "" = none
  bool replaced = false;            // a context took the place of the whole stage
  Origin origin = Origin::Scratch;
  int parent = kNoStage;                      // Origin::Stage
  std::optional<solver::SourceOp> directory;  // Origin::Directory
  std::optional<ImageRequest> request;        // Origin::Image
  std::optional<ImageMeta> image;             // its answer
  oci::Platform platform;
  LineRange lines;
  std::vector<PlannedStep> steps;
  bool reachable = false;
  bool triggers_added = false;
  bool image_unknown = false;  // it is out of reach, which is an error of builds only

  const std::string& name() const;  // "" = none
  /// True if it is there before any step runs, so that every stage may use it.
  bool is_given() const { return text == nullptr || replaced; }
};

class StagePlan {
 public:
  /// `script` and `source` must outlive the plan. `times` is asked when SOURCE_DATE_EPOCH names a
  /// remote source; null: such a source has none.
  static Result<StagePlan> make(const FrontendInput& input, const Script& script,
                                const SourceMap& source, const oci::Platform& platform,
                                checks::Linter& linter, MetaResolver* times);

  /// Images of reachable stages that are not answered yet.
  std::vector<int> unresolved() const;
  PlannedStage& stage(int index) { return stages_[static_cast<std::size_t>(index)]; }
  const PlannedStage& stage(int index) const { return stages_[static_cast<std::size_t>(index)]; }
  int size() const { return static_cast<int>(stages_.size()); }
  int target() const { return target_; }
  const oci::Platform& platform() const { return platform_; }
  const EnvList& global_args() const { return global_args_; }
  /// Those of the input, with SOURCE_DATE_EPOCH as the number that it stands for.
  const std::map<std::string, std::string>& build_args() const { return build_args_; }
  std::optional<std::int64_t> source_date_epoch() const { return source_date_epoch_; }
  const FrontendInput& input() const { return *input_; }
  const SourceMap& source() const { return *source_; }
  const Script& script() const { return *script_; }
  checks::Linter& linter() const { return *linter_; }
  char escape() const { return script_->escape; }
  /// "stage-0" for stages without a name, "" when there is nothing to tell apart.
  std::string shown_name(int index) const;
  std::vector<std::string> names() const;

  /// Puts the ONBUILD triggers of resolved bases in front of the steps; true if that made new
  /// images reachable.
  Result<bool> add_triggers();

 private:
  StagePlan(const FrontendInput& input, const Script& script, const SourceMap& source,
            const oci::Platform& platform, checks::Linter& linter)
      : input_(&input),
        script_(&script),
        source_(&source),
        linter_(&linter),
        platform_(platform),
        build_args_(input.build_args) {}

  std::string name_or_number(int index) const;
  void set_platform_args();
  Status read_global_args();
  Result<std::optional<std::int64_t>> epoch_of(const std::string& value, MetaResolver* times) const;
  Status read_source_date_epoch(MetaResolver* times);
  LineRange global_arg_lines(const std::string& name) const;
  void check_default_bases() const;
  const std::vector<std::string>& declared_globals();
  Result<std::string> expand_global(const std::string& word, LineRange lines) const;
  Status add_stage(const StageText& text);
  Status set_base(PlannedStage& stage);
  Status set_platform(PlannedStage& stage, const Step& from);
  Status set_image(PlannedStage& stage, const std::string& name);
  bool set_stage_context(PlannedStage& stage, const std::string& name);
  bool set_context(PlannedStage& stage, const std::string& name);
  Status connect();
  Result<PlannedStep> plan_step(const Step& step, bool on_build);
  Result<int> copy_source(const std::string& from, LineRange lines);
  Result<int> find_source(const std::string& name, LineRange lines);
  Status check_cycles() const;
  Status find_target();
  void mark_reachable();
  Status add_triggers_to(PlannedStage& stage, const std::vector<std::string>& triggers);
  Error at(Error error, LineRange lines) const;

  const FrontendInput* input_;
  const Script* script_;
  const SourceMap* source_;
  checks::Linter* linter_;
  oci::Platform platform_;
  std::map<std::string, std::string> build_args_;
  EnvList global_args_;
  std::vector<std::string> declared_globals_;  // with or without a value, sorted; made when needed
  std::optional<std::int64_t> source_date_epoch_;
  std::deque<PlannedStage> stages_;  // references stay good while images are added
  std::map<std::string, int> by_name_;
  std::map<std::string, int> images_;  // those that only steps name
  std::deque<Step> trigger_steps_;
  int target_ = 0;
  bool single_ =
      false;  // one stage and no step that names another tree: BuildKit prints no stage names then
};

}  // namespace mybuild::frontend
