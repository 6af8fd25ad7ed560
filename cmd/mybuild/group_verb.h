// SPDX-License-Identifier: Apache-2.0
// verb(): one of a group (`mybuild volume ls`) as a function for the group's table.
#pragma once

#include "cmd/mybuild/cli/command.h"
#include "cmd/mybuild/verbs.h"

#include <span>
#include <string>

namespace mybuild::cli {

/// Reads the arguments as `command` says and does `action` with the options, which gives the exit
/// status.
template <auto& command, auto& action>
int verb(std::span<const std::string> args) {
  const auto reading = read_command(command, args);
  if (!reading.options) {
    return reading.exit_code;
  }
  const Result<int> done = action(*reading.options);
  return done ? *done : fail(done.error());
}

}  // namespace mybuild::cli
