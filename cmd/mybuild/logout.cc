// SPDX-License-Identifier: Apache-2.0
#include "builder/login.h"
#include "cmd/mybuild/cli/login_options.h"
#include "cmd/mybuild/group_verb.h"

#include <fmt/format.h>

namespace mybuild::cli {

namespace {

/// As docker: not having been logged in is no failure.
Result<int> log_out(const LogoutOptions& options) {
  std::string registry = builder::kDefaultRegistry;
  if (!options.server.empty()) {
    registry = TRY(builder::registry_of(options.server));
  }
  const Cancel never;
  const bool was_there = TRY(builder::logout(registry, never));
  TRY(print_out(was_there ? fmt::format("Removing login credentials for {}\n", registry)
                          : fmt::format("Not logged in to {}\n", registry)));
  return 0;
}

}  // namespace

int logout_verb(std::span<const std::string> args) {
  return verb<kLogoutCommand, log_out>(args);
}

}  // namespace mybuild::cli
