// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/login_options.h"

#include "cmd/mybuild/cli/values.h"

namespace mybuild::cli {

namespace {

constexpr Flag<LoginOptions> kLoginFlags[] = {
    {{.name = "username", .letter = 'u', .argument = "USER", .help = "The account's name"},
     [](LoginOptions& options, std::string_view value) -> Status {
       options.username = value;
       return {};
     }},
    {{.name = "password",
      .letter = 'p',
      .argument = "PASSWORD",
      .help = "Password or access token; others on this machine can see it"},
     [](LoginOptions& options, std::string_view value) -> Status {
       options.password = value;
       return {};
     }},
    {{.name = "password-stdin", .help = "Take the password from standard input"},
     [](LoginOptions& options, std::string_view value) -> Status {
       options.password_stdin = TRY(parse_bool(value));
       return {};
     }},
};

Result<std::string> at_most_one(std::vector<std::string> positionals, std::string_view verb) {
  if (positionals.size() > 1) {
    return invalid_argument("\"mybuild {}\" requires at most 1 argument, not {}", verb,
                            positionals.size());
  }
  return positionals.empty() ? std::string() : std::move(positionals.front());
}

}  // namespace

const Command<LoginOptions> kLoginCommand = {
    .text = {.name = "login",
             .usage = "mybuild login [OPTIONS] [REGISTRY]",
             .summary = "Log in to a registry: docker.io, or a host with its port",
             .notes = "The registry is asked first. Then the login is kept where docker keeps it:\n"
                      "in the credential helper that $DOCKER_CONFIG/config.json names for this\n"
                      "registry (default ~/.docker), else in that file, readable by its owner."},
    .order = FlagSet::Order::Interspersed,
    .add_flags =
        [](FlagSet& flags, LoginOptions& options) {
          flags.add(kLoginFlags, options);
          add_registry_flags(flags, options.global);
          add_global_flags(flags, options.global);
        },
    .finish = [](LoginOptions& options, std::vector<std::string> positionals) -> Status {
      options.server = TRY(at_most_one(std::move(positionals), "login"));
      if (options.password && options.password_stdin) {
        return invalid_argument("--password and --password-stdin are mutually exclusive");
      }
      if (options.password_stdin && options.username.empty()) {
        return invalid_argument("Must provide --username with --password-stdin");
      }
      return {};
    },
};

const Command<LogoutOptions> kLogoutCommand = {
    .text = {.name = "logout",
             .usage = "mybuild logout [REGISTRY]",
             .summary = "Forget the login to a registry, by default docker.io",
             .notes = {}},
    .order = FlagSet::Order::Interspersed,
    .add_flags = [](FlagSet& flags,
                    LogoutOptions& options) { add_global_flags(flags, options.global); },
    .finish = [](LogoutOptions& options, std::vector<std::string> positionals) -> Status {
      options.server = TRY(at_most_one(std::move(positionals), "logout"));
      return {};
    },
};

}  // namespace mybuild::cli
