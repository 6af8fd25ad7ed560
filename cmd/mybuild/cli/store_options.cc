// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/store_options.h"

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

constexpr Flag<DuOptions> kDuFlags[] = {
    {{.name = "format",
      .argument = "FORMAT",
      .help = "Of the summary: json, a template such as '{{.Type}} {{.Size}}', or 'table "
              "TEMPLATE'; json with -v gives all there is as one object"},
     [](DuOptions& options, std::string_view value) -> Status {
       options.format = value;
       return {};
     }},
    {{.name = "verbose", .letter = 'v', .help = "List containers, volumes and layers, too"},
     [](DuOptions& options, std::string_view value) -> Status {
       options.verbose = TRY(parse_bool(value));
       return {};
     }},
    // docker buildx du has this.
    {{.name = "filter"}},
};

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
      return positionals.empty() ? Status() : invalid_argument("\"mybuild du\" takes no arguments");
    },
};

}  // namespace mybuild::cli
