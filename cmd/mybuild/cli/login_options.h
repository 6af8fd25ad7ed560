// SPDX-License-Identifier: Apache-2.0
// Options of login and logout. Value types.
#pragma once

#include "cmd/mybuild/cli/command.h"
#include "cmd/mybuild/cli/global_options.h"

#include <optional>
#include <string>

namespace mybuild::cli {

struct LoginOptions {
  GlobalOptions global = {};
  std::string server;  // as written; empty: Docker Hub
  std::string username;
  std::optional<std::string> password;
  bool password_stdin = false;
};

struct LogoutOptions {
  GlobalOptions global = {};
  std::string server;
};

extern const Command<LoginOptions> kLoginCommand;
extern const Command<LogoutOptions> kLogoutCommand;

}  // namespace mybuild::cli
