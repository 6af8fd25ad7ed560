// SPDX-License-Identifier: Apache-2.0
// The build verb's options: a BuildRequest and what the command line does with the outcome. Value
// type.
#pragma once

#include "builder/request.h"
#include "builder/secrets/given_agents.h"
#include "builder/secrets/given_secrets.h"
#include "cmd/mybuild/cli/call_option.h"
#include "cmd/mybuild/cli/command.h"
#include "cmd/mybuild/cli/global_options.h"
#include "cmd/mybuild/progress/mode.h"

#include <string>
#include <vector>

namespace mybuild::cli {

/// How to say at the end what became of the steps.
enum class ExplainForm { None, Text, Json };

struct BuildOptions {
  GlobalOptions global;
  builder::BuildRequest request;
  progress::Mode progress = progress::Mode::Auto;
  std::string progress_word;  // as given; empty: not given
  bool quiet = false;
  bool load = false;
  bool push = false;
  std::vector<exporter::Annotation> annotations;
  CallOption call;
  ExplainForm explain = ExplainForm::None;
  std::string iid_file;
  std::string metadata_file;
  std::vector<secrets::SecretSpec> secrets;
  std::vector<secrets::SshSpec> ssh;
};

/// Values not given are taken from the environment where docker does: BUILDKIT_PROGRESS,
/// DOCKER_DEFAULT_PLATFORM, SOURCE_DATE_EPOCH, and each --build-arg NAME.
extern const Command<BuildOptions> kBuildCommand;

}  // namespace mybuild::cli
