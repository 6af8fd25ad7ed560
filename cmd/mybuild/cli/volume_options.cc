// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/volume_options.h"

#include "cmd/mybuild/cli/values.h"

namespace mybuild::cli {

namespace {

constexpr Flag<VolumeListOptions> kListFlags[] = {
    {{.name = "filter",
      .letter = 'f',
      .argument = "KEY=VALUE",
      .help = "Show only some: dangling (true, false), name",
      .repeatable = true},
     [](VolumeListOptions& options, std::string_view value) -> Status {
       return add_filter(options.filters, value);
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

constexpr Flag<VolumeRmOptions> kRmFlags[] = {
    {{.name = "force", .letter = 'f', .help = "A volume that is not there is no error"},
     [](VolumeRmOptions& options, std::string_view value) -> Status {
       options.force = TRY(parse_bool(value));
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

Status no_arguments(const std::vector<std::string>& positionals) {
  return positionals.empty()
             ? Status()
             : invalid_argument("no arguments are taken, not even '{}'", positionals.front());
}

Status finish_list(VolumeListOptions& options, std::vector<std::string> positionals) {
  for (const auto& [key, value] : options.filters) {
    if (key != "dangling" && key != "name") {
      return unsupported("there is no filter '{}'", key).with_hint("filters are dangling and name");
    }
    if (key == "dangling") {
      TRY(parse_bool(value).context("filter dangling"));
    }
  }
  return no_arguments(positionals);
}

Status some_names(VolumeRmOptions& options, std::vector<std::string> names) {
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
    .finish = finish_list,
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

const Command<VolumeRmOptions> kVolumeRmCommand = {
    .text = {.name = "volume rm",
             .usage = "mybuild volume rm [OPTIONS] VOLUME [VOLUME...]",
             .summary = "Remove volumes that no container uses",
             .notes = {}},
    .order = FlagSet::Order::Interspersed,
    .add_flags = add_flags<VolumeRmOptions, kRmFlags>,
    .finish = some_names,
};

const Command<PruneOptions> kVolumePruneCommand = {
    .text = {.name = "volume prune",
             .usage = "mybuild volume prune [OPTIONS]",
             .summary = "Remove anonymous volumes that no container uses",
             .notes = {}},
    .order = FlagSet::Order::Interspersed,
    .add_flags = add_flags<PruneOptions, kPruneFlags>,
    .finish = [](PruneOptions&, std::vector<std::string> positionals) -> Status {
      return no_arguments(positionals);
    },
};

}  // namespace mybuild::cli
