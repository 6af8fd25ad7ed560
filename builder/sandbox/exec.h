// SPDX-License-Identifier: Apache-2.0
// The last step: find the program as a shell would and become it. Single-threaded, inside the
// sandbox.
#pragma once

#include "builder/sandbox/sandbox.h"

#include <string>
#include <vector>

namespace mybuild::sandbox {

struct Command {
  std::vector<std::string> argv;
  std::vector<std::string> env;
};

/// Returns only if the command could not be started: not_found or not_executable with the reason.
SandboxExit execute(const Command& command);

}  // namespace mybuild::sandbox
