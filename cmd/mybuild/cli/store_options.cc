// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/store_options.h"

#include "cmd/mybuild/cli/prune_options.h"
#include "cmd/mybuild/cli/values.h"

namespace mybuild::cli {

namespace {

constexpr Flag<HistoryOptions> kHistoryFlags[] = {
    {{.name = "format",
      .argument = "FORMAT",
      .help = "json, a template such as '{{.ID}} {{.Size}}', or 'table TEMPLATE'"},
     [](HistoryOptions& options, std::string_view value) -> Status {
       options.format = value;
       return {};
     }},
    {{.name = "human", .letter = 'H', .help = "Print sizes and dates for people (default true)"},
     [](HistoryOptions& options, std::string_view value) -> Status {
       options.human = TRY(parse_bool(value));
       return {};
     }},
    {{.name = "no-trunc", .help = "Print instructions, IDs and digests in full"},
     [](HistoryOptions& options, std::string_view value) -> Status {
       options.no_trunc = TRY(parse_bool(value));
       return {};
     }},
    {{.name = "quiet", .letter = 'q', .help = "Print image IDs only"},
     [](HistoryOptions& options, std::string_view value) -> Status {
       options.quiet = TRY(parse_bool(value));
       return {};
     }},
    // docker history has this.
    {{.name = "platform"}},
};

constexpr Flag<ExplainOptions> kExplainFlags[] = {
    {{.name = "format",
      .argument = "FORMAT",
      .help = "text (default) or json; with --list as for other lists: json, a template such as "
              "'{{.ID}}', or 'table TEMPLATE'"},
     [](ExplainOptions& options, std::string_view value) -> Status {
       options.format = value;
       return {};
     }},
    {{.name = "list", .help = "List the builds that can be explained, newest first"},
     [](ExplainOptions& options, std::string_view value) -> Status {
       options.list = TRY(parse_bool(value));
       return {};
     }},
};

constexpr Flag<DuOptions> kDuFlags[] = {
    {{.name = "filter",
      .argument = "KEY=VALUE",
      .help = "List only build cache that `prune` with this filter would speak of",
      .repeatable = true},
     [](DuOptions& options, std::string_view value) -> Status {
       options.filters.emplace_back(value);
       return {};
     }},
    {{.name = "format",
      .argument = "FORMAT",
      .help = "Of the summary: json, a template such as '{{.Type}} {{.Size}}', or 'table "
              "TEMPLATE'; json with -v gives all there is as one object"},
     [](DuOptions& options, std::string_view value) -> Status {
       options.format = value;
       return {};
     }},
    {{.name = "verbose", .letter = 'v', .help = "List containers, volumes and build cache, too"},
     [](DuOptions& options, std::string_view value) -> Status {
       options.verbose = TRY(parse_bool(value));
       return {};
     }},
};

/// A filter is about single things, which the summary does not have.
Status read_filters(DuOptions& options) {
  for (const std::string& filter : options.filters) {
    TRY(options.filter.add(filter, seconds_now()));
  }
  return {};
}

}  // namespace

const Command<HistoryOptions> kHistoryCommand = {
    .text = {.name = "history",
             .usage = "mybuild history [OPTIONS] IMAGE",
             .summary = "Show the instructions an image was made by, newest first, with the size "
                        "and the digest of the layer each of them made",
             .notes = {}},
    .order = FlagSet::Order::Interspersed,
    .add_flags =
        [](FlagSet& flags, HistoryOptions& options) {
          flags.add(kHistoryFlags, options);
          add_global_flags(flags, options.global);
        },
    .finish = [](HistoryOptions& options, std::vector<std::string> positionals) -> Status {
      if (positionals.size() != 1) {
        return invalid_argument("\"mybuild history\" requires exactly 1 argument, not {}",
                                positionals.size());
      }
      options.image = std::move(positionals.front());
      return {};
    },
};

const Command<ExplainOptions> kExplainCommand = {
    .text = {.name = "explain",
             .usage = "mybuild explain [OPTIONS] [BUILD]",
             .summary = "Say for each step of a build whether it was found in the cache, else "
                        "which of its inputs is not what it was: a file, an argument, the base "
                        "image, …",
             .notes = "Without BUILD it is the newest one. Failed builds can be explained, too."},
    .order = FlagSet::Order::Interspersed,
    .add_flags =
        [](FlagSet& flags, ExplainOptions& options) {
          flags.add(kExplainFlags, options);
          add_global_flags(flags, options.global);
        },
    .finish = [](ExplainOptions& options, std::vector<std::string> positionals) -> Status {
      if (positionals.size() > (options.list ? 0 : 1)) {
        return options.list ? invalid_argument("--list goes without a build")
                            : invalid_argument("\"mybuild explain\" takes one build at most");
      }
      if (!positionals.empty()) {
        options.build = std::move(positionals.front());
      }
      if (!options.list && options.format != "json" && options.format != "text" &&
          !options.format.empty()) {
        return invalid_argument("--format {} goes with --list only", options.format)
            .with_hint("an explanation is text or json");
      }
      return {};
    },
};

const Command<DuOptions> kDuCommand = {
    .text = {.name = "du",
             .usage = "mybuild du [OPTIONS]",
             .summary =
                 "Show what the state directory is filled with: images with their shared and "
                 "own sizes, containers, volumes, and what is kept for later builds",
             .notes = "A layer that several images have is stored, and counted, once."},
    .order = FlagSet::Order::Interspersed,
    .add_flags =
        [](FlagSet& flags, DuOptions& options) {
          flags.add(kDuFlags, options);
          add_global_flags(flags, options.global);
        },
    .finish = [](DuOptions& options, std::vector<std::string> positionals) -> Status {
      if (options.verbose && !options.format.empty() && options.format != "json") {
        return invalid_argument("--verbose goes with --format json only");
      }
      TRY(read_filters(options));
      return positionals.empty() ? Status() : invalid_argument("\"mybuild du\" takes no arguments");
    },
};

}  // namespace mybuild::cli
