// SPDX-License-Identifier: Apache-2.0
// Options that every verb takes. Value type.
#pragma once

#include "cmd/mybuild/cli/flags.h"

#include <string>
#include <vector>

namespace mybuild::cli {

struct GlobalOptions {
  std::string root;  // empty: the default state directory
  bool debug = false;
  std::vector<std::string> insecure_registries = {};  // of verbs that speak to registries
};

void add_global_flags(FlagSet& flags, GlobalOptions& options);
/// How registries may be spoken to, for the verbs that do.
void add_registry_flags(FlagSet& flags, GlobalOptions& options);

/// How many leading arguments are global options, which may stand in front of the verb.
std::size_t count_global_args(std::span<const std::string> args);

}  // namespace mybuild::cli
