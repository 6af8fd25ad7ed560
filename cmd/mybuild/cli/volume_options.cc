// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/volume_options.h"

#include "cmd/mybuild/cli/values.h"

namespace mybuild::cli {

namespace {

constexpr std::string_view kListFilters[] = {"dangling", "name"};

constexpr Flag<VolumeListOptions> kListFlags[] = {
    {{.name = "filter",
      .letter = 'f',
      .argument = "KEY=VALUE",
      .help = "Show only some: dangling (true, false), name",
      .repeatable = true},
     [](VolumeListOptions& options, std::string_view value) -> Status {
       TRY(add_filter(options.filters, value, kListFilters));
       if (value.starts_with("dangling=")) {
         TRY(parse_bool(value.substr(value.find('=') + 1)));
       }
       return {};
     }},
    {{.name = "format",
      .argument = "FORMAT",
      .help = "json, a template such as '{{.Name}}', or 'table TEMPLATE'"},
     [](VolumeListOptions& options, std::string_view value) -> Status {
       options.format = value;
       return {};
     }},
    {{.name = "quiet", .letter = 'q', .help = "Print names only"},
     [](VolumeListOptions& options, std::string_view value) -> Status {
       options.quiet = TRY(parse_bool(value));
       return {};
     }},
    // docker volume ls has this.
    {{.name = "cluster"}},
};

constexpr Flag<VolumeCreateOptions> kCreateFlags[] = {
    {{.name = "driver", .letter = 'd', .argument = "local", .help = "Only local is known"},
     [](VolumeCreateOptions&, std::string_view value) -> Status {
       return value == "local" ? Status() : unsupported("there is no volume driver '{}'", value);
     }},
    {{.name = "label",
      .argument = "KEY=VALUE",
      .help = "Remember this with it",
      .repeatable = true},
     [](VolumeCreateOptions& options, std::string_view value) -> Status {
       const auto pair = TRY(parse_key_value(value));
       options.labels[pair.first] = pair.second;
       return {};
     }},
    {{.name = "name", .argument = "NAME", .help = "As the argument"},
     [](VolumeCreateOptions& options, std::string_view value) -> Status {
       options.name = value;
       return {};
     }},
    // docker volume create has these.
    {{.name = "availability"}},
    {{.name = "group"}},
    {{.name = "limit-bytes"}},
    {{.name = "opt", .letter = 'o'}},
    {{.name = "required-bytes"}},
    {{.name = "scope"}},
    {{.name = "secret"}},
    {{.name = "sharing"}},
    {{.name = "topology-preferred"}},
    {{.name = "topology-required"}},
    {{.name = "type"}},
};

constexpr Flag<VolumeNamesOptions> kRmFlags[] = {
    {{.name = "force", .letter = 'f', .help = "A volume that is not there is no error"},
     [](VolumeNamesOptions& options, std::string_view value) -> Status {
       options.force = TRY(parse_bool(value));
       return {};
     }},
};

constexpr Flag<VolumeNamesOptions> kInspectFlags[] = {
    {{.name = "format",
      .letter = 'f',
      .argument = "FORMAT",
      .help = "json, or a template such as '{{.Mountpoint}}'"},
     [](VolumeNamesOptions& options, std::string_view value) -> Status {
       options.format = value;
       return {};
     }},
};

constexpr Flag<PruneOptions> kPruneFlags[] = {
    {{.name = "all", .letter = 'a', .help = "Those with names too"},
     [](PruneOptions& options, std::string_view value) -> Status {
       options.all = TRY(parse_bool(value));
       return {};
     }},
    {{.name = "force", .letter = 'f', .help = "Do not ask"},
     [](PruneOptions& options, std::string_view value) -> Status {
       options.force = TRY(parse_bool(value));
       return {};
     }},
    // docker volume prune has this.
    {{.name = "filter"}},
};

template <class Options, auto& table>
void add_flags(FlagSet& flags, Options& options) {
  flags.add(table, options);
  add_global_flags(flags, options.global);
}

Status finish_create(VolumeCreateOptions& options, std::vector<std::string> names) {
  if (names.size() > 1 || (!names.empty() && !options.name.empty())) {
    return invalid_argument("\"mybuild volume create\" takes one name at most");
  }
  if (!names.empty()) {
    options.name = std::move(names.front());
  }
  return {};
}

template <class Options>
Status no_arguments(Options&, std::vector<std::string> positionals) {
  return positionals.empty()
             ? Status()
             : invalid_argument("no arguments are taken, not even '{}'", positionals.front());
}

Status some_names(VolumeNamesOptions& options, std::vector<std::string> names) {
  if (names.empty()) {
    return invalid_argument("at least 1 volume has to be named");
  }
  options.names = std::move(names);
  return {};
}

}  // namespace

const Command<VolumeListOptions> kVolumeListCommand = {
    .text = {.name = "volume ls",
             .usage = "mybuild volume ls [OPTIONS]",
             .summary = "List volumes",
             .notes = {}},
    .order = FlagSet::Order::Interspersed,
    .add_flags = add_flags<VolumeListOptions, kListFlags>,
    .finish = no_arguments<VolumeListOptions>,
};

const Command<VolumeCreateOptions> kVolumeCreateCommand = {
    .text = {.name = "volume create",
             .usage = "mybuild volume create [OPTIONS] [NAME]",
             .summary = "Make a volume and print its name",
             .notes = {}},
    .order = FlagSet::Order::Interspersed,
    .add_flags = add_flags<VolumeCreateOptions, kCreateFlags>,
    .finish = finish_create,
};

const Command<VolumeNamesOptions> kVolumeRmCommand = {
    .text = {.name = "volume rm",
             .usage = "mybuild volume rm [OPTIONS] VOLUME [VOLUME...]",
             .summary = "Remove volumes that no container uses",
             .notes = {}},
    .order = FlagSet::Order::Interspersed,
    .add_flags = add_flags<VolumeNamesOptions, kRmFlags>,
    .finish = some_names,
};

const Command<VolumeNamesOptions> kVolumeInspectCommand = {
    .text = {.name = "volume inspect",
             .usage = "mybuild volume inspect [OPTIONS] VOLUME [VOLUME...]",
             .summary = "Print what is known about volumes, as JSON",
             .notes = {}},
    .order = FlagSet::Order::Interspersed,
    .add_flags = add_flags<VolumeNamesOptions, kInspectFlags>,
    .finish = some_names,
};

const Command<PruneOptions> kVolumePruneCommand = {
    .text = {.name = "volume prune",
             .usage = "mybuild volume prune [OPTIONS]",
             .summary = "Remove anonymous volumes that no container uses",
             .notes = {}},
    .order = FlagSet::Order::Interspersed,
    .add_flags = add_flags<PruneOptions, kPruneFlags>,
    .finish = no_arguments<PruneOptions>,
};

}  // namespace mybuild::cli
