// SPDX-License-Identifier: Apache-2.0
// ImageState: what travels beside the tree while a stage is lowered: the image's config with its
// history, the variables that steps see, the working directory. Instructions that only touch these
// are applied here. Value type.
#pragma once

#include "frontend/dockerfile/env_list.h"
#include "frontend/dockerfile/instructions.h"
#include "frontend/dockerfile/run_mount.h"
#include "snapshotter/oci/image_config.h"

#include <map>
#include <string>
#include <vector>

namespace mybuild::frontend {

/// Values an ARG can take from outside of its stage.
struct ArgScope {
  const std::map<std::string, std::string>& build_args;
  const EnvList& global;
};

class ImageState {
 public:
  explicit ImageState(oci::ImageConfig from) : config(std::move(from)) {}

  oci::ImageConfig config;
  std::string cwd = "/";  // clean
  bool cmd_set = false;   // by this stage

  /// For a stage on an image: variables, PATH and directory as the config says.
  void start();
  /// What a stage on top of this one starts from.
  ImageState inherit() &&;

  /// ENV and ARG, as RUN and expansion see them.
  const EnvList& env() const { return env_; }
  /// An ARG that has a value or none.
  void declare(ArgStep::Argument argument, bool is_variable);
  bool is_declared(std::string_view name) const;
  void set_env(const std::string& name, const std::string& value);
  /// What the image's own variables have, whatever an ARG hides.
  std::optional<std::string_view> find_image_env(std::string_view name) const;
  /// "|2 A=1 B=2 " for the ARGs declared so far, "" for none.
  std::string declared_args() const;

  void commit(std::string created_by, bool with_layer);
  /// SHELL, or the default one, in front of one text.
  std::vector<std::string> with_shell(const std::vector<std::string>& args) const;
  std::vector<std::string> resolve(const CommandLine& command) const;

 private:
  void take_config_env();

  EnvList env_;
  std::map<std::string, std::size_t, std::less<>> config_env_;  // position in config.env
  EnvList declared_;  // with the value at the declaration, for those that are no variables
  std::vector<std::string> declared_order_;
};

/// The config of FROM scratch.
oci::ImageConfig scratch_config(const oci::Platform& platform);

/// Each applies one instruction whose words are expanded by `expander`; the variables of one
/// instruction are those before it. WORKDIR makes no directory here.
Status apply(const ArgStep& step, const WordExpander& expander, const ArgScope& scope,
             ImageState& state);
Status apply(const EnvStep& step, const WordExpander& expander, ImageState& state);
Status apply(const LabelStep& step, const WordExpander& expander, ImageState& state);
Status apply(const WorkdirStep& step, const WordExpander& expander, ImageState& state);
Status apply(const UserStep& step, const WordExpander& expander, ImageState& state);
Status apply(const VolumeStep& step, const WordExpander& expander, ImageState& state);
Status apply(const StopSignalStep& step, const WordExpander& expander, ImageState& state);
Status apply(const ShellStep& step, ImageState& state);
Status apply(const MaintainerStep& step, ImageState& state);
Status apply(const CmdStep& step, ImageState& state);
Status apply(const EntrypointStep& step, ImageState& state);
Status apply(const HealthcheckStep& step, ImageState& state);
Status apply(const OnbuildStep& step, ImageState& state);

/// EXPOSE expands to words, not to one.
using WordsExpander = std::function<Result<std::vector<std::string>>(std::string_view)>;
Status apply(const ExposeStep& step, const WordsExpander& expander, ImageState& state);

}  // namespace mybuild::frontend
