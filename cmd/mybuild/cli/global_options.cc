// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/global_options.h"

#include "cmd/mybuild/cli/values.h"

namespace mybuild::cli {

namespace {

constexpr Flag<GlobalOptions> kFlags[] = {
    {{.name = "root", .argument = "DIR", .help = "State directory (default $MYBUILD_ROOT)"},
     [](GlobalOptions& options, std::string_view value) -> Status {
       if (value.empty()) {
         return invalid_argument("expected a directory");
       }
       options.root = value;
       return {};
     }},
    {{.name = "debug", .letter = 'D', .help = "Say on stderr what is done inside"},
     [](GlobalOptions& options, std::string_view value) -> Status {
       options.debug = TRY(parse_bool(value));
       return {};
     }},
};

constexpr Flag<GlobalOptions> kRegistryFlags[] = {
    {{.name = "insecure-registry",
      .argument = "HOST[:PORT]",
      .help = "Do not check this registry's certificate, and fall back to plain HTTP",
      .repeatable = true},
     [](GlobalOptions& options, std::string_view value) -> Status {
       if (value.empty() || value.find('/') != std::string_view::npos) {
         return invalid_argument("\"{}\" is not a host with a port", value);
       }
       options.insecure_registries.emplace_back(value);
       return {};
     }},
};

}  // namespace

void add_registry_flags(FlagSet& flags, GlobalOptions& options) {
  flags.add(kRegistryFlags, options);
}

void add_global_flags(FlagSet& flags, GlobalOptions& options) {
  flags.add(kFlags, options);
}

std::size_t count_global_args(std::span<const std::string> args) {
  std::size_t count = 0;
  while (count < args.size()) {
    const std::string& word = args[count];
    if (word == "--root") {
      count = std::min(count + 2, args.size());
    } else if (word == "--debug" || word == "-D" || word.starts_with("--debug=") ||
               word.starts_with("--root=")) {
      ++count;
    } else {
      break;
    }
  }
  return count;
}

}  // namespace mybuild::cli
