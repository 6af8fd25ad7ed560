// SPDX-License-Identifier: Apache-2.0
// `mybuild serve`, and the verbs under it. The server itself is in mybuild-serve.so.
#include "builder/cache_server/service/serve.h"

#include "cmd/mybuild/cli/serve_options.h"
#include "cmd/mybuild/cli/verb_table.h"
#include "cmd/mybuild/group_verb.h"
#include "cmd/mybuild/work.h"
#include "snapshotter/base/log.h"
#include "snapshotter/base/module.h"

#include <algorithm>
#include <cstdlib>
#include <memory>

namespace mybuild::cli {

namespace {

using cache_server::IfMissing;
using cache_server::ServeModule;
using cache_server::ServerAdmin;

/// --root, else $MYBUILD_SERVE_ROOT, else a directory beside the one of builds.
std::string serve_root(const GlobalOptions& options) {
  if (!options.root.empty()) {
    return options.root;
  }
  const char* const variable = std::getenv("MYBUILD_SERVE_ROOT");
  return variable != nullptr && *variable != '\0' ? variable : builder::default_root() + "-serve";
}

Result<std::unique_ptr<ServeModule>> load() {
  void* const found = TRY(find_in_module("mybuild-serve.so", cache_server::kServeModuleFactory));
  const auto make = reinterpret_cast<cache_server::ServeModuleFactory*>(found);
  return std::unique_ptr<ServeModule>(make());
}

Result<std::unique_ptr<ServerAdmin>> open_admin(const GlobalOptions& options,
                                                IfMissing if_missing) {
  const auto module = TRY(load());
  return module->open_admin(serve_root(options), if_missing);
}

int serve(std::span<const std::string> args) {
  const auto reading = read_command(kServeCommand, args);
  if (!reading.options) {
    return reading.exit_code;
  }
  log::enable_debug(reading.options->global.debug);
  auto gate = SignalGate::open();  // before the first thread
  if (!gate) {
    return fail(gate.error());
  }
  cache_server::ServeOptions options = reading.options->serve;
  options.directory = serve_root(reading.options->global);
  options.log_requests = reading.options->global.debug;
  const Status done = run_guarded(*gate, [&](Cancel& cancel) -> Status {
    const auto module = TRY(load());
    return module->serve(
        options, [](const std::string& line) { print_err(line + "\n"); }, cancel);
  });
  return done ? 0 : fail(done.error());
}

Result<int> create_token(const TokenCreateOptions& options) {
  const auto admin = TRY(open_admin(options.global, IfMissing::Make));
  cache_server::NewToken token = options.token;
  if (!options.parent.empty()) {
    TRY(admin->make_space(token.space, options.parent));
  }
  if (options.life) {
    token.expires = SystemClock().now() + *options.life;
  }
  const cache_server::MadeToken made = TRY(admin->make_token(token));
  TRY(print_out(made.secret + "\n"));
  return 0;
}

Result<int> list_tokens(const ServeListOptions& options) {
  const auto admin = TRY(open_admin(options.global, IfMissing::Fail));
  const auto tokens = TRY(admin->tokens());
  TRY(print_out(token_list_text(tokens, options, SystemClock().now())));
  return 0;
}

Result<int> revoke_tokens(const TokenRevokeOptions& options) {
  const auto admin = TRY(open_admin(options.global, IfMissing::Fail));
  int exit_code = 0;
  for (const std::string& id : options.ids) {
    const bool is_found = TRY(admin->revoke_token(id));
    if (is_found) {
      TRY(print_out(id + "\n"));
    } else {
      exit_code = fail(not_found("there is no token {}", id));
    }
  }
  return exit_code;
}

Result<int> create_space(const SpaceCreateOptions& options) {
  const auto admin = TRY(open_admin(options.global, IfMissing::Make));
  TRY(admin->make_space(options.name, options.parent));
  const auto spaces = TRY(admin->spaces());
  const auto made = std::find_if(spaces.begin(), spaces.end(), [&](const ServerAdmin::Space& each) {
    return each.name == options.name;
  });
  TRY(print_out((made == spaces.end() ? "" : made->key) + "\n"));
  return 0;
}

Result<int> list_spaces(const ServeListOptions& options) {
  const auto admin = TRY(open_admin(options.global, IfMissing::Fail));
  const auto spaces = TRY(admin->spaces());
  TRY(print_out(space_list_text(spaces, options)));
  return 0;
}

constexpr Verb kTokenVerbs[] = {
    {"create", "Make a token and print it", verb<kTokenCreateCommand, create_token>},
    {"ls", "List the tokens", verb<kTokenListCommand, list_tokens>},
    {"revoke", "End tokens", verb<kTokenRevokeCommand, revoke_tokens>},
};
constexpr Verb kSpaceVerbs[] = {
    {"create", "Make a namespace and print its public key",
     verb<kSpaceCreateCommand, create_space>},
    {"ls", "List namespaces with their public keys", verb<kSpaceListCommand, list_spaces>},
};

}  // namespace

int serve_verb(std::span<const std::string> args) {
  const std::string word = args.empty() ? std::string() : args.front();
  if (word == "token") {
    return dispatch_group({.name = "serve token",
                           .summary = "Manage the tokens of a cache server",
                           .verbs = kTokenVerbs},
                          args.subspan(1));
  }
  if (word == "namespace") {
    return dispatch_group({.name = "serve namespace",
                           .summary = "Manage the namespaces of a cache server",
                           .verbs = kSpaceVerbs},
                          args.subspan(1));
  }
  return serve(args);
}

}  // namespace mybuild::cli
