// SPDX-License-Identifier: Apache-2.0
// Options of `mybuild serve` and of the verbs under it. Value types.
#pragma once

#include "builder/cache_server/service/serve.h"
#include "cmd/mybuild/cli/command.h"
#include "cmd/mybuild/cli/global_options.h"

#include <chrono>
#include <optional>
#include <string>

namespace mybuild::cli {

struct ServeVerbOptions {
  GlobalOptions global = {};
  cache_server::ServeOptions serve = {};
};

struct TokenCreateOptions {
  GlobalOptions global = {};
  cache_server::NewToken token = {};
  std::string parent = {};  // of the namespace, which is made if it is not there
  std::optional<std::chrono::seconds> life = {};
};

struct TokenRevokeOptions {
  GlobalOptions global = {};
  std::vector<std::string> ids = {};
};

struct ServeListOptions {
  GlobalOptions global = {};
  bool quiet = false;
};

struct SpaceCreateOptions {
  GlobalOptions global = {};
  std::string name = {};
  std::string parent = {};
};

extern const Command<ServeVerbOptions> kServeCommand;
extern const Command<TokenCreateOptions> kTokenCreateCommand;
extern const Command<ServeListOptions> kTokenListCommand;
extern const Command<TokenRevokeOptions> kTokenRevokeCommand;
extern const Command<SpaceCreateOptions> kSpaceCreateCommand;
extern const Command<ServeListOptions> kSpaceListCommand;

/// What `mybuild serve token ls` prints; `now` tells which are over.
std::string token_list_text(const std::vector<cache_server::TokenRow>& tokens,
                            const ServeListOptions& options, Time now);
std::string space_list_text(const std::vector<cache_server::ServerAdmin::Space>& spaces,
                            const ServeListOptions& options);

}  // namespace mybuild::cli
