// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/prune_options.h"

#include "builder/space/settings.h"
#include "cmd/mybuild/cli/values.h"
#include "snapshotter/base/clock.h"

namespace mybuild::cli {

namespace {

template <auto member>
Status set_limit(CachePruneOptions& options, std::string_view value) {
  options.rule.limits.*member = TRY(space::parse_amount(value));
  return {};
}

constexpr const char* kAmount = "SIZE";

constexpr Flag<CachePruneOptions> kPruneFlags[] = {
    {{.name = "all",
      .letter = 'a',
      .help = "Also what can be made again from what stays: compressed forms of layers, records "
              "of steps and builds, what tags meant"},
     [](CachePruneOptions& options, std::string_view value) -> Status {
       options.rule.all = TRY(parse_bool(value));
       return {};
     }},
    {{.name = "filter",
      .argument = "KEY=VALUE",
      .help = "Remove only some: until=24h (not used for so long, or since a time), type, id, "
              "description, inuse, shared, private, mutable, immutable; also KEY!=VALUE and "
              "KEY~=PATTERN",
      .repeatable = true},
     [](CachePruneOptions& options, std::string_view value) -> Status {
       options.filters.emplace_back(value);
       return {};
     }},
    {{.name = "force", .letter = 'f', .help = "Do not ask"},
     [](CachePruneOptions& options, std::string_view value) -> Status {
       options.force = TRY(parse_bool(value));
       return {};
     }},
    {{.name = "format", .argument = "json", .help = "What went as one JSON object"},
     [](CachePruneOptions& options, std::string_view value) -> Status {
       options.json = value == "json";
       return options.json ? Status() : unsupported("the only format is json");
     }},
    {{.name = "keep-storage", .argument = kAmount, .help = "As --reserved-space (deprecated)"},
     set_limit<&space::Limits::reserved>},
    {{.name = "max-used-space",
      .argument = kAmount,
      .help = "Keep no more than this: 10GB, 512m, or 20% of the disk"},
     set_limit<&space::Limits::max_used>},
    {{.name = "min-free-space",
      .argument = kAmount,
      .help = "Remove until so much of the disk is free"},
     set_limit<&space::Limits::min_free>},
    {{.name = "reserved-space", .argument = kAmount, .help = "Keep this much in any case"},
     set_limit<&space::Limits::reserved>},
    {{.name = "verbose", .help = "Print whole IDs and what it was"},
     [](CachePruneOptions& options, std::string_view value) -> Status {
       options.verbose = TRY(parse_bool(value));
       return {};
     }},
    // docker buildx prune has these.
    {{.name = "builder"}},
    {{.name = "timeout"}},
};

constexpr Flag<ImagePruneOptions> kImagePruneFlags[] = {
    {{.name = "all",
      .letter = 'a',
      .help = "All images without a container, not only nameless ones"},
     [](ImagePruneOptions& options, std::string_view value) -> Status {
       options.all = TRY(parse_bool(value));
       return {};
     }},
    {{.name = "filter",
      .argument = "KEY=VALUE",
      .help = "Remove only some: until=24h (made before that), dangling (false is --all)",
      .repeatable = true},
     [](ImagePruneOptions& options, std::string_view value) -> Status {
       options.filters.emplace_back(value);
       return {};
     }},
    {{.name = "force", .letter = 'f', .help = "Do not ask"},
     [](ImagePruneOptions& options, std::string_view value) -> Status {
       options.force = TRY(parse_bool(value));
       return {};
     }},
};

Status no_arguments(std::string_view verb, const std::vector<std::string>& positionals) {
  return positionals.empty() ? Status()
                             : invalid_argument("\"mybuild {}\" takes no arguments", verb);
}

/// `until` and `dangling` are all that there is.
Status finish_image_prune(ImagePruneOptions& options, std::vector<std::string> positionals) {
  for (const std::string& filter : options.filters) {
    const auto [key, value] = TRY(parse_key_value(filter));
    if (key == "until") {
      TRY(space::parse_until(value, seconds_now()).context("filter until"));
    } else if (key == "dangling") {
      options.all = !TRY(parse_bool(value).context("filter dangling"));
    } else {
      return unsupported("there is no filter '{}'", key)
          .with_hint("filters are until and dangling");
    }
  }
  return no_arguments("image prune", positionals);
}

}  // namespace

std::int64_t seconds_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(SystemClock().now().time_since_epoch())
      .count();
}

const Command<CachePruneOptions> kPruneCommand = {
    .text = {.name = "prune",
             .usage = "mybuild prune [OPTIONS]",
             .summary = "Remove what is kept for later builds: layers of no image, downloads, "
                        "cache mounts, git mirrors; least recently used first, until the limits "
                        "hold, or all of it if there are none",
             .notes = "What an image, a container or a running build needs stays. The same\n"
                      "happens after builds, within the limits that $MYBUILD_GC says: \"off\",\n"
                      "or some of reserved-space=10GB, max-used-space=75%, min-free-space=20%,\n"
                      "until=60d, every=10m with commas between."},
    .order = FlagSet::Order::Interspersed,
    .add_flags =
        [](FlagSet& flags, CachePruneOptions& options) {
          flags.add(kPruneFlags, options);
          add_global_flags(flags, options.global);
        },
    .finish = [](CachePruneOptions& options, std::vector<std::string> positionals) -> Status {
      for (const std::string& filter : options.filters) {
        TRY(options.rule.filter.add(filter, seconds_now()));
      }
      options.rule.unused_for = options.rule.filter.unused_for();
      return no_arguments("prune", positionals);
    },
};

const Command<ImagePruneOptions> kImagePruneCommand = {
    .text = {.name = "image prune",
             .usage = "mybuild image prune [OPTIONS]",
             .summary = "Remove images without a name and without a container",
             .notes = "Their layers become build cache, which `mybuild prune` removes."},
    .order = FlagSet::Order::Interspersed,
    .add_flags =
        [](FlagSet& flags, ImagePruneOptions& options) {
          flags.add(kImagePruneFlags, options);
          add_global_flags(flags, options.global);
        },
    .finish = finish_image_prune,
};

}  // namespace mybuild::cli
