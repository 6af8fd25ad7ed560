// SPDX-License-Identifier: Apache-2.0
// The run verb's options. Value type.
#pragma once

#include "builder/pull_policy.h"
#include "builder/run/container.h"
#include "cmd/mybuild/cli/command.h"
#include "cmd/mybuild/cli/global_options.h"

namespace mybuild::cli {

struct RunOptions {
  GlobalOptions global;
  run::RunRequest request;
  builder::PullPolicy pull = builder::PullPolicy::Missing;
  std::optional<oci::Platform> platform;  // nullopt: whatever the name stands for
  bool quiet = false;                     // no progress of a pull
};

/// All that follows IMAGE belongs to the program.
extern const Command<RunOptions> kRunCommand;

/// The lines of an --env-file as "K=V" or "K"; blank lines and those that start with # are left
/// out.
Result<std::vector<std::string>> parse_env_file(std::string_view text);

}  // namespace mybuild::cli
