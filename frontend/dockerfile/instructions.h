// SPDX-License-Identifier: Apache-2.0
// Typed instructions: what each node says, checked as far as that is possible before variables have
// values. Value types; parse is pure and thread-safe.
#pragma once

#include "frontend/checks/linter.h"
#include "frontend/dockerfile/ast.h"
#include "snapshotter/base/result.h"
#include "snapshotter/oci/image_config.h"
#include "solver/graph/op_spec.h"

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace mybuild::frontend {

using KeyValue = std::pair<std::string, std::string>;

/// Arguments of RUN, CMD, ENTRYPOINT: a list, or one text for the shell.
struct CommandLine {
  std::vector<std::string> args;
  bool shell = true;
};
/// A heredoc as a source of COPY or ADD.
struct InlineFile {
  std::string name;
  std::string content;
  bool expand = true;
};

struct FromStep {
  std::string base;      // not expanded
  std::string name;      // lower case; "" = none
  std::string platform;  // not expanded; "" = none
};
struct ArgStep {
  struct Argument {
    std::string name;
    std::optional<std::string> value;
  };
  std::vector<Argument> arguments;
};
struct EnvStep {
  std::vector<KeyValue> pairs;
  bool legacy_pair = false;  // ENV k v
};
struct LabelStep {
  std::vector<KeyValue> pairs;
  bool legacy_pair = false;
};
struct RunStep {
  CommandLine command;
  std::vector<Heredoc> heredocs;
  std::vector<std::string> mounts;       // fields, not expanded
  std::vector<std::string> mount_froms;  // of each mount, "" = none
  std::string network;                   // "", default, none, host
  std::string security;                  // "", sandbox, insecure
  std::vector<solver::CdiDevice> devices;
};
/// COPY and ADD.
struct CopyStep {
  bool is_add = false;
  std::vector<std::string> sources;
  std::vector<InlineFile> files;
  std::string dest;
  std::string from;
  std::string chown;
  std::string chmod;
  bool parents = false;
  bool link = false;
  std::vector<std::string> excludes;
  std::optional<bool> unpack;
  std::string checksum;
  std::optional<bool> keep_git_dir;
};
struct WorkdirStep {
  std::string path;
};
struct UserStep {
  std::string user;
};
struct VolumeStep {
  std::vector<std::string> paths;
};
struct ExposeStep {
  std::vector<std::string> ports;
};
struct StopSignalStep {
  std::string signal;
};
struct ShellStep {
  std::vector<std::string> shell;
};
struct MaintainerStep {
  std::string author;
};
struct CmdStep {
  CommandLine command;
};
struct EntrypointStep {
  CommandLine command;
};
struct HealthcheckStep {
  oci::Healthcheck check;
};
struct OnbuildStep {
  std::string expression;
};

struct Step {
  std::variant<FromStep, ArgStep, EnvStep, LabelStep, RunStep, CopyStep, WorkdirStep, UserStep,
               VolumeStep, ExposeStep, StopSignalStep, ShellStep, MaintainerStep, CmdStep,
               EntrypointStep, HealthcheckStep, OnbuildStep>
      body;
  std::string text;  // as written, continuations joined
  LineRange lines;
  std::vector<std::string> comments = {};  // the comment lines directly above
};

/// FROM with all up to the next one.
struct StageText {
  Step from;
  std::vector<Step> steps;
};

struct Script {
  std::vector<Step> global_args;
  std::vector<StageText> stages;
  char escape = '\\';
};

/// One instruction; errors have no place yet.
Result<Step> parse_step(const Node& node);
/// The whole file; errors carry their place. `linter` hears what the rules say of each instruction.
Result<Script> parse_script(const Document& document, const SourceMap& source,
                            checks::Linter& linter);

}  // namespace mybuild::frontend
