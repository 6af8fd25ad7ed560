// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/image_options.h"

#include "cmd/mybuild/cli/image_filter.h"
#include "cmd/mybuild/cli/values.h"

namespace mybuild::cli {

namespace {

constexpr Flag<ImagesOptions> kImagesFlags[] = {
    {{.name = "all", .letter = 'a', .help = "Accepted for docker's sake: no image is hidden"},
     [](ImagesOptions&, std::string_view value) -> Status {
       TRY(parse_bool(value));
       return {};
     }},
    {{.name = "digests", .help = "Show the digests that images have in registries"},
     [](ImagesOptions& options, std::string_view value) -> Status {
       options.digests = TRY(parse_bool(value));
       return {};
     }},
    {{.name = "filter",
      .letter = 'f',
      .argument = "KEY=VALUE",
      .help = "Show only some: before, dangling, label, reference, since, until",
      .repeatable = true},
     [](ImagesOptions& options, std::string_view value) -> Status {
       return add_filter(options.filters, value);
     }},
    {{.name = "format",
      .argument = "FORMAT",
      .help = "json, a template such as '{{.ID}} {{.Tag}}', or 'table TEMPLATE'"},
     [](ImagesOptions& options, std::string_view value) -> Status {
       options.format = value;
       return {};
     }},
    {{.name = "no-trunc", .help = "Print IDs in full"},
     [](ImagesOptions& options, std::string_view value) -> Status {
       options.no_trunc = TRY(parse_bool(value));
       return {};
     }},
    {{.name = "quiet", .letter = 'q', .help = "Print IDs only"},
     [](ImagesOptions& options, std::string_view value) -> Status {
       options.quiet = TRY(parse_bool(value));
       return {};
     }},
    // docker images has this.
    {{.name = "tree"}},
};

constexpr Flag<RmiOptions> kRmiFlags[] = {
    {{.name = "force",
      .letter = 'f',
      .help = "Remove also when several names are left, or containers use it"},
     [](RmiOptions& options, std::string_view value) -> Status {
       options.force = TRY(parse_bool(value));
       return {};
     }},
    // docker rmi has these.
    {{.name = "no-prune"}},
    {{.name = "platform"}},
};

}  // namespace

const Command<ImagesOptions> kImagesCommand = {
    .text = {.name = "images",
             .usage = "mybuild images [OPTIONS] [REPOSITORY[:TAG]]",
             .summary = "List the images of the local store",
             .notes = {}},
    .order = FlagSet::Order::Interspersed,
    .add_flags =
        [](FlagSet& flags, ImagesOptions& options) {
          flags.add(kImagesFlags, options);
          add_global_flags(flags, options.global);
        },
    .finish = [](ImagesOptions& options, std::vector<std::string> positionals) -> Status {
      if (positionals.size() > 1) {
        return invalid_argument("\"mybuild images\" requires at most 1 argument, not {}",
                                positionals.size());
      }
      options.repository = positionals.empty() ? std::string() : std::move(positionals.front());
      return check_image_filters(options.filters);
    },
};

const Command<RmiOptions> kRmiCommand = {
    .text = {.name = "rmi",
             .usage = "mybuild rmi [OPTIONS] IMAGE [IMAGE...]",
             .summary = "Remove images from the local store",
             .notes = {}},
    .order = FlagSet::Order::Interspersed,
    .add_flags =
        [](FlagSet& flags, RmiOptions& options) {
          flags.add(kRmiFlags, options);
          add_global_flags(flags, options.global);
        },
    .finish = [](RmiOptions& options, std::vector<std::string> positionals) -> Status {
      if (positionals.empty()) {
        return invalid_argument("\"mybuild rmi\" requires at least 1 argument");
      }
      options.names = std::move(positionals);
      return {};
    },
};

const Command<VersionOptions> kVersionCommand = {
    .text = {.name = "version",
             .usage = "mybuild version",
             .summary = "Print the version",
             .notes = {}},
    .order = FlagSet::Order::Interspersed,
    .add_flags = [](FlagSet& flags,
                    VersionOptions& options) { add_global_flags(flags, options.global); },
    .finish = [](VersionOptions&, std::vector<std::string> positionals) -> Status {
      return positionals.empty() ? Status()
                                 : invalid_argument("\"mybuild version\" takes no arguments");
    },
};

}  // namespace mybuild::cli
