// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/serve_options.h"

#include "builder/space/filter.h"
#include "cmd/mybuild/cli/human_text.h"
#include "cmd/mybuild/cli/table_text.h"
#include "cmd/mybuild/cli/values.h"

#include <fmt/ranges.h>

namespace mybuild::cli {

namespace {

using cache_server::Scope;

constexpr char kDefaultListen[] = "127.0.0.1:5050";
constexpr std::int64_t kMostConnections = 1'000'000;

constexpr Flag<ServeVerbOptions> kServeFlags[] = {
    {{.name = "listen",
      .argument = "ADDRESS",
      .help = "Where to listen: 127.0.0.1:5050 (the default), [::]:5050, unix:/path",
      .repeatable = true},
     [](ServeVerbOptions& options, std::string_view value) -> Status {
       options.serve.listen.emplace_back(value);
       return {};
     }},
    {{.name = "tls-cert", .argument = "FILE", .help = "PEM: the certificate, then those above it"},
     [](ServeVerbOptions& options, std::string_view value) -> Status {
       options.serve.tls_certificate = value;
       return {};
     }},
    {{.name = "tls-key", .argument = "FILE", .help = "PEM: the key of the certificate"},
     [](ServeVerbOptions& options, std::string_view value) -> Status {
       options.serve.tls_key = value;
       return {};
     }},
    {{.name = "max-size",
      .argument = "BYTES",
      .help = "What the cache may take (40g); else what leaves a tenth of the disk free"},
     [](ServeVerbOptions& options, std::string_view value) -> Status {
       options.serve.max_size = TRY(parse_bytes(value));
       if (*options.serve.max_size == 0) {
         return invalid_argument("a cache of 0 bytes keeps nothing")
             .with_hint("leave --max-size out for as much as leaves a tenth of the disk free");
       }
       return {};
     }},
    {{.name = "max-size-per-namespace",
      .argument = "BYTES",
      .help = "What one namespace may take of it; else all"},
     [](ServeVerbOptions& options, std::string_view value) -> Status {
       options.serve.max_size_per_namespace = TRY(parse_bytes(value));
       return {};
     }},
    {{.name = "max-connections", .argument = "NUMBER", .help = "At once (10000)"},
     [](ServeVerbOptions& options, std::string_view value) -> Status {
       options.serve.max_connections =
           static_cast<std::size_t>(TRY(parse_integer(value, 1, kMostConnections)));
       return {};
     }},
    {{.name = "anonymous-read", .help = "Who has no token may read everything"},
     [](ServeVerbOptions& options, std::string_view value) -> Status {
       options.serve.anonymous_read = TRY(parse_bool(value));
       return {};
     }},
};

/// In place of the global ones: the state is the server's.
constexpr Flag<GlobalOptions> kGlobalFlags[] = {
    {{.name = "root",
      .argument = "DIR",
      .help = "The server's state (default $MYBUILD_SERVE_ROOT)"},
     [](GlobalOptions& options, std::string_view value) -> Status {
       if (value.empty()) {
         return invalid_argument("expected a directory");
       }
       options.root = value;
       return {};
     }},
    {{.name = "debug", .letter = 'D', .help = "Say on stderr what is asked and done"},
     [](GlobalOptions& options, std::string_view value) -> Status {
       options.debug = TRY(parse_bool(value));
       return {};
     }},
};

Status add_scopes(std::uint8_t& scopes, std::string_view list) {
  for (const std::string& name : TRY(parse_csv(list))) {
    const std::optional<Scope> scope = cache_server::parse_scope(name);
    if (!scope) {
      return invalid_argument("there is no scope '{}'", name)
          .with_hint("scopes are read, write, claim and admin");
    }
    scopes = static_cast<std::uint8_t>(scopes | static_cast<std::uint8_t>(*scope));
  }
  return {};
}

constexpr Flag<TokenCreateOptions> kTokenCreateFlags[] = {
    {{.name = "namespace",
      .letter = 'n',
      .argument = "NAME",
      .help = "Where it may write; '*' is everywhere (default main)"},
     [](TokenCreateOptions& options, std::string_view value) -> Status {
       options.token.space = value;
       return {};
     }},
    {{.name = "parent",
      .argument = "NAME",
      .help = "Make the namespace, if it is not there, below this one, which it reads"},
     [](TokenCreateOptions& options, std::string_view value) -> Status {
       options.parent = value;
       return {};
     }},
    {{.name = "scope",
      .letter = 's',
      .argument = "LIST",
      .help = "Of read, write, claim, admin (default read,write,claim)",
      .repeatable = true},
     [](TokenCreateOptions& options, std::string_view value) -> Status {
       return add_scopes(options.token.scopes, value);
     }},
    {{.name = "expires",
      .argument = "TIME",
      .help = "How long it is good: 12h, 30d; else for ever"},
     [](TokenCreateOptions& options, std::string_view value) -> Status {
       options.life =
           std::chrono::duration_cast<std::chrono::seconds>(TRY(space::parse_age(value)));
       return {};
     }},
    {{.name = "note", .argument = "TEXT", .help = "Shown by token ls"},
     [](TokenCreateOptions& options, std::string_view value) -> Status {
       options.token.note = value;
       return {};
     }},
};

constexpr Flag<ServeListOptions> kListFlags[] = {
    {{.name = "quiet", .letter = 'q', .help = "Print names only"},
     [](ServeListOptions& options, std::string_view value) -> Status {
       options.quiet = TRY(parse_bool(value));
       return {};
     }},
};

constexpr Flag<SpaceCreateOptions> kSpaceCreateFlags[] = {
    {{.name = "parent", .argument = "NAME", .help = "It reads what this one and its parents have"},
     [](SpaceCreateOptions& options, std::string_view value) -> Status {
       options.parent = value;
       return {};
     }},
};

Status no_arguments(const std::vector<std::string>& positionals) {
  return positionals.empty()
             ? Status()
             : invalid_argument("no arguments are taken, not even '{}'", positionals.front());
}

template <class Options, auto& table>
void add_flags(FlagSet& flags, Options& options) {
  flags.add(table, options);
  flags.add(kGlobalFlags, options.global);
}

Status finish_serve(ServeVerbOptions& options, std::vector<std::string> positionals) {
  TRY(no_arguments(positionals));
  if (options.serve.tls_certificate.empty() != options.serve.tls_key.empty()) {
    return invalid_argument("--tls-cert and --tls-key belong together");
  }
  if (options.serve.listen.empty()) {
    options.serve.listen.emplace_back(kDefaultListen);
  }
  return {};
}

Status finish_token(TokenCreateOptions& options, std::vector<std::string> positionals) {
  TRY(no_arguments(positionals));
  if (options.token.space.empty()) {
    options.token.space = cache_server::kDefaultSpace;
  }
  if (options.token.scopes == 0) {
    TRY(add_scopes(options.token.scopes, "read,write,claim"));
  }
  if (options.life && *options.life <= std::chrono::seconds(0)) {
    return invalid_argument("--expires wants a time that is to come");
  }
  return {};
}

std::string shown_scopes(std::uint8_t scopes) {
  return fmt::format("{}", fmt::join(cache_server::scope_names(scopes), ","));
}

std::string shown_state(const cache_server::TokenRow& token, Time now) {
  if (token.revoked) {
    return "revoked";
  }
  if (!token.expires) {
    return "good";
  }
  return *token.expires <= now
             ? "expired"
             : "until " + format_rfc3339(std::chrono::floor<std::chrono::seconds>(*token.expires));
}

}  // namespace

const Command<ServeVerbOptions> kServeCommand = {
    .text = {.name = "serve",
             .usage = "mybuild serve [OPTIONS]\n        mybuild serve token|namespace COMMAND",
             .summary = "Serve a build cache to a team, and be a registry",
             .notes =
                 "Clients of the same user on this machine need no token. All others need one:\n"
                 "mybuild serve token create. Its state is in --root, by default beside the\n"
                 "state directory of builds."},
    .order = FlagSet::Order::Interspersed,
    .add_flags = add_flags<ServeVerbOptions, kServeFlags>,
    .finish = finish_serve,
};

const Command<TokenCreateOptions> kTokenCreateCommand = {
    .text = {.name = "serve token create",
             .usage = "mybuild serve token create [OPTIONS]",
             .summary = "Make a token and print it; it is shown this once only",
             .notes = "It reads its namespace and those above, and writes to its namespace alone."},
    .order = FlagSet::Order::Interspersed,
    .add_flags = add_flags<TokenCreateOptions, kTokenCreateFlags>,
    .finish = finish_token,
};

const Command<ServeListOptions> kTokenListCommand = {
    .text = {.name = "serve token ls",
             .usage = "mybuild serve token ls [OPTIONS]",
             .summary = "List the tokens, without their secrets",
             .notes = {}},
    .order = FlagSet::Order::Interspersed,
    .add_flags = add_flags<ServeListOptions, kListFlags>,
    .finish = [](ServeListOptions&, std::vector<std::string> positionals) -> Status {
      return no_arguments(positionals);
    },
};

const Command<TokenRevokeOptions> kTokenRevokeCommand = {
    .text = {.name = "serve token revoke",
             .usage = "mybuild serve token revoke ID [ID...]",
             .summary = "End tokens at once",
             .notes = {}},
    .order = FlagSet::Order::Interspersed,
    .add_flags = [](FlagSet& flags,
                    TokenRevokeOptions& options) { flags.add(kGlobalFlags, options.global); },
    .finish = [](TokenRevokeOptions& options, std::vector<std::string> ids) -> Status {
      if (ids.empty()) {
        return invalid_argument("at least 1 token has to be named by its id");
      }
      options.ids = std::move(ids);
      return {};
    },
};

const Command<SpaceCreateOptions> kSpaceCreateCommand = {
    .text = {.name = "serve namespace create",
             .usage = "mybuild serve namespace create [OPTIONS] NAME",
             .summary = "Make a namespace and print its public key",
             .notes = {}},
    .order = FlagSet::Order::Interspersed,
    .add_flags = add_flags<SpaceCreateOptions, kSpaceCreateFlags>,
    .finish = [](SpaceCreateOptions& options, std::vector<std::string> names) -> Status {
      if (names.size() != 1) {
        return invalid_argument("\"mybuild serve namespace create\" requires exactly 1 argument");
      }
      options.name = std::move(names.front());
      return {};
    },
};

const Command<ServeListOptions> kSpaceListCommand = {
    .text = {.name = "serve namespace ls",
             .usage = "mybuild serve namespace ls [OPTIONS]",
             .summary = "List namespaces with their public keys, which clients can pin",
             .notes = {}},
    .order = FlagSet::Order::Interspersed,
    .add_flags = add_flags<ServeListOptions, kListFlags>,
    .finish = [](ServeListOptions&, std::vector<std::string> positionals) -> Status {
      return no_arguments(positionals);
    },
};

std::string token_list_text(const std::vector<cache_server::TokenRow>& tokens,
                            const ServeListOptions& options, Time now) {
  std::vector<std::vector<std::string>> lines = {
      {"ID", "NAMESPACE", "SCOPES", "CREATED", "STATE", "NOTE"}};
  std::string ids;
  for (const cache_server::TokenRow& token : tokens) {
    ids += token.id + "\n";
    lines.push_back({token.id, token.space, shown_scopes(token.scopes), ago(token.created, now),
                     shown_state(token, now), token.note});
  }
  return options.quiet ? ids : table_text(std::move(lines));
}

std::string space_list_text(const std::vector<cache_server::ServerAdmin::Space>& spaces,
                            const ServeListOptions& options) {
  std::vector<std::vector<std::string>> lines = {{"NAMESPACE", "PARENT", "KEY"}};
  std::string names;
  for (const cache_server::ServerAdmin::Space& each : spaces) {
    names += each.name + "\n";
    lines.push_back({each.name, each.parent, each.key});
  }
  return options.quiet ? names : table_text(std::move(lines));
}

}  // namespace mybuild::cli
