// SPDX-License-Identifier: Apache-2.0
// Inspector: sees the steps of a plan while they are lowered, their variables filled in. It tells a
// linter what the rules have to say and notes what --call=outline lists. Changes nothing.
// Thread-compatible.
#pragma once

#include "frontend/checks/linter.h"
#include "frontend/checks/predicates.h"
#include "frontend/checks/report.h"
#include "frontend/dockerfile/image_state.h"
#include "frontend/dockerfile/run_mount.h"
#include "frontend/dockerfile/stages.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace mybuild::frontend {

/// What a COPY or ADD came to.
struct CopyFacts {
  const std::vector<std::string>& sources;
  std::size_t files = 0;     // heredocs among the sources
  const std::string& dest;   // as the step says it, variables filled in
  const std::string& path;   // absolute; a slash at the end says that it is a directory
  const std::string& chown;  // "" = none
  bool from_context = false;
  bool onto_nothing = false;  // the stage has no file yet
  bool link_lost = false;     // --link was asked for and does nothing
};

class Inspector {
 public:
  explicit Inspector(const StagePlan& plan);

  void start_stage(int index);
  /// False while the stage stands on an image that could not be reached: then no rule speaks of its
  /// steps, since what they come to is not known, and what fails in them proves nothing.
  bool knows_base() const { return !notes_now_->base_unknown; }
  /// Before the step does anything; `image` is the state of its stage.
  void see(const Step& step, const ImageState& image);
  void see_unset(const Step& step, const std::vector<std::string>& names, const ImageState& image);
  void see_arg(const Step& step, const ArgStep& arg, const ImageState& image);
  void see_workdir(const Step& step, const std::string& path);
  void see_port(const Step& step, const std::string& port);
  void see_copy(const Step& step, bool is_add, const CopyFacts& copy, const ImageState& image);
  void see_mount(const Step& step, const RunMount& mount, const std::string& id);

  /// Of the plan's target and all that it reaches; only if the plan was made for an outline.
  checks::Outline outline() const;

 private:
  struct Once {
    std::optional<checks::Place> cmd, entrypoint, healthcheck;
  };
  struct Notes {
    std::vector<checks::Outline::Argument> args;
    std::vector<std::string> inherited;  // ARGs that take a global one's value
    std::vector<checks::Outline::Credential> secrets, ssh;
    std::vector<checks::Outline::Cache> caches;
    bool has_workdir = false;
    bool base_unknown = false;
    Once once;
  };
  struct CacheOwner {
    std::string text;
    int line;
  };

  void add(checks::Rule rule, const checks::Place& place, std::string detail);
  void add(checks::Rule rule, const Step& step, std::string detail);
  void see_once(const Step& step, std::optional<checks::Place>& last);
  void see_command(const Step& step, const CommandLine& command, const ImageState& image);
  void see_pairs(const Step& step, bool legacy);
  void see_name(const Step& step, std::string_view verb, const std::string& name);
  void note_arg(const Step& step, const ArgStep::Argument& argument, const std::string* value);
  void note_mount(const Step& step, const RunMount& mount, const std::string& id);
  void see_sources(const Step& step, bool is_add, const CopyFacts& copy);
  void see_destination(const Step& step, const CopyFacts& copy, const ImageState& image);

  const StagePlan& plan_;
  checks::Linter& linter_;
  const bool notes_wanted_;
  std::optional<checks::IgnoredSources> ignored_;
  std::vector<Notes> notes_;  // by stage
  Notes* notes_now_ = nullptr;
  std::map<std::string, CacheOwner> cache_owners_;
};

}  // namespace mybuild::frontend
