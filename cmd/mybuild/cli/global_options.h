// SPDX-License-Identifier: Apache-2.0
// Options that every verb takes. Value type.
#pragma once

#include "cmd/mybuild/cli/flags.h"

#include <string>

namespace mybuild::cli {

struct GlobalOptions {
  std::string root;  // empty: the default state directory
  bool debug = false;
};

void add_global_flags(FlagSet& flags, GlobalOptions& options);

/// How many leading arguments are global options, which may stand in front of the verb.
std::size_t count_global_args(std::span<const std::string> args);

}  // namespace mybuild::cli
