// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/container_options.h"

#include "cmd/mybuild/cli/container_filter.h"
#include "cmd/mybuild/cli/values.h"

#include <algorithm>

namespace mybuild::cli {

namespace {

/// A setter for a switch.
template <class Options, bool Options::*member>
Status set_switch(Options& options, std::string_view value) {
  options.*member = TRY(parse_bool(value));
  return {};
}

constexpr Flag<PsOptions> kPsFlags[] = {
    {{.name = "all", .letter = 'a', .help = "Show stopped containers too"},
     set_switch<PsOptions, &PsOptions::all>},
    {{.name = "filter",
      .letter = 'f',
      .argument = "KEY=VALUE",
      .help = "Show only some: ancestor, before, exited, id, label, name, network, since, status, "
              "volume",
      .repeatable = true},
     [](PsOptions& options, std::string_view value) -> Status {
       return add_filter(options.filters, value);
     }},
    {{.name = "format",
      .argument = "FORMAT",
      .help = "json, a template such as '{{.ID}} {{.Names}}', or 'table TEMPLATE'"},
     [](PsOptions& options, std::string_view value) -> Status {
       options.format = value;
       return {};
     }},
    {{.name = "last", .letter = 'n', .argument = "N", .help = "Show the N newest, running or not"},
     [](PsOptions& options, std::string_view value) -> Status {
       const std::int64_t count = TRY(parse_integer(value, -1, 1 << 30));
       options.last = static_cast<std::size_t>(std::max<std::int64_t>(count, 0));
       return {};
     }},
    {{.name = "latest", .letter = 'l', .help = "Show the newest, running or not"},
     [](PsOptions& options, std::string_view value) -> Status {
       options.last = TRY(parse_bool(value))
       ? 1 : 0;
       return {};
     }},
    {{.name = "no-trunc", .help = "Print IDs and commands in full"},
     set_switch<PsOptions, &PsOptions::no_trunc>},
    {{.name = "quiet", .letter = 'q', .help = "Print IDs only"},
     set_switch<PsOptions, &PsOptions::quiet>},
    {{.name = "size", .letter = 's', .help = "Show how much each has written, and its whole size"},
     set_switch<PsOptions, &PsOptions::size>},
};

constexpr Flag<StartOptions> kStartFlags[] = {
    {{.name = "attach", .letter = 'a', .help = "Show what the program prints, pass signals on"},
     set_switch<StartOptions, &StartOptions::attach>},
    {{.name = "interactive", .letter = 'i', .help = "Connect stdin too"},
     set_switch<StartOptions, &StartOptions::interactive>},
    // docker start has these.
    {{.name = "checkpoint"}},
    {{.name = "checkpoint-dir"}},
    {{.name = "detach-keys"}},
};

constexpr Flag<RmOptions> kRmFlags[] = {
    {{.name = "force", .letter = 'f', .help = "Kill a running container first"},
     set_switch<RmOptions, &RmOptions::force>},
    {{.name = "volumes", .letter = 'v', .help = "Remove its anonymous volumes too"},
     set_switch<RmOptions, &RmOptions::volumes>},
    // docker rm has this.
    {{.name = "link", .letter = 'l'}},
};

Status set_signal(StopOptions& options, std::string_view value) {
  options.signal = value;
  return {};
}

constexpr Flag<StopOptions> kStopFlags[] = {
    {{.name = "signal",
      .letter = 's',
      .argument = "SIGNAL",
      .help = "Instead of the image's STOPSIGNAL"},
     set_signal},
    {{.name = "timeout",
      .letter = 't',
      .argument = "SECONDS",
      .help = "How long to wait before it is killed (default 10, -1: for ever)"},
     [](StopOptions& options, std::string_view value) -> Status {
       options.grace = std::chrono::seconds(TRY(parse_integer(value, -1, 1 << 20)));
       return {};
     }},
};

constexpr Flag<StopOptions> kKillFlags[] = {
    {{.name = "signal",
      .letter = 's',
      .argument = "SIGNAL",
      .help = "Signal to send (default KILL)"},
     set_signal},
};

constexpr Flag<PruneOptions> kPruneFlags[] = {
    {{.name = "force", .letter = 'f', .help = "Do not ask"},
     set_switch<PruneOptions, &PruneOptions::force>},
    // docker container prune has this.
    {{.name = "filter"}},
};

template <class Options>
Status take_names(Options& options, std::vector<std::string> names, std::string_view verb) {
  if (names.empty()) {
    return invalid_argument("\"mybuild {}\" requires at least 1 argument", verb);
  }
  options.names = std::move(names);
  return {};
}

template <class Options, auto& table>
void add_flags(FlagSet& flags, Options& options) {
  flags.add(table, options);
  add_global_flags(flags, options.global);
}

/// A program in the background needs somebody who watches it.
Status finish_start(StartOptions& options, std::vector<std::string> names) {
  if (names.empty()) {
    return invalid_argument("\"mybuild start\" requires at least 1 argument");
  }
  if (!options.attach && !options.interactive) {
    return unsupported("starting a container in the background is not supported yet")
        .with_hint("use `mybuild start -a`, or -ai to type into it");
  }
  if (names.size() > 1) {
    return invalid_argument("you cannot start and attach multiple containers at once");
  }
  options.name = std::move(names.front());
  return {};
}

}  // namespace

Status add_filter(Filters& filters, std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) {
    return invalid_argument("expected KEY=VALUE");
  }
  filters.emplace(text.substr(0, equals), text.substr(equals + 1));
  return {};
}

const Command<PsOptions> kPsCommand = {
    .text = {.name = "ps",
             .usage = "mybuild ps [OPTIONS]",
             .summary = "List containers: those that run, or all with -a",
             .notes = {}},
    .order = FlagSet::Order::Interspersed,
    .add_flags = add_flags<PsOptions, kPsFlags>,
    .finish = [](PsOptions& options, std::vector<std::string> positionals) -> Status {
      return positionals.empty() ? check_container_filters(options.filters)
                                 : invalid_argument("\"mybuild ps\" accepts no arguments");
    },
};

const Command<StartOptions> kStartCommand = {
    .text = {.name = "start",
             .usage = "mybuild start [OPTIONS] CONTAINER",
             .summary = "Run a stopped container again; its exit code is ours",
             .notes = {}},
    .order = FlagSet::Order::Interspersed,
    .add_flags = add_flags<StartOptions, kStartFlags>,
    .finish = finish_start,
};

const Command<RmOptions> kRmCommand = {
    .text = {.name = "rm",
             .usage = "mybuild rm [OPTIONS] CONTAINER [CONTAINER...]",
             .summary = "Remove containers and their files",
             .notes = {}},
    .order = FlagSet::Order::Interspersed,
    .add_flags = add_flags<RmOptions, kRmFlags>,
    .finish = [](RmOptions& options, std::vector<std::string> positionals) -> Status {
      return take_names(options, std::move(positionals), "rm");
    },
};

const Command<StopOptions> kStopCommand = {
    .text = {.name = "stop",
             .usage = "mybuild stop [OPTIONS] CONTAINER [CONTAINER...]",
             .summary = "Stop running containers: a signal, and SIGKILL if that does not help",
             .notes = {}},
    .order = FlagSet::Order::Interspersed,
    .add_flags = add_flags<StopOptions, kStopFlags>,
    .finish = [](StopOptions& options, std::vector<std::string> positionals) -> Status {
      return take_names(options, std::move(positionals), "stop");
    },
};

const Command<StopOptions> kKillCommand = {
    .text = {.name = "kill",
             .usage = "mybuild kill [OPTIONS] CONTAINER [CONTAINER...]",
             .summary = "Send a signal to running containers",
             .notes = {}},
    .order = FlagSet::Order::Interspersed,
    .add_flags = add_flags<StopOptions, kKillFlags>,
    .finish = [](StopOptions& options, std::vector<std::string> positionals) -> Status {
      return take_names(options, std::move(positionals), "kill");
    },
};

const Command<PruneOptions> kContainerPruneCommand = {
    .text = {.name = "container prune",
             .usage = "mybuild container prune [OPTIONS]",
             .summary = "Remove all stopped containers",
             .notes = {}},
    .order = FlagSet::Order::Interspersed,
    .add_flags = add_flags<PruneOptions, kPruneFlags>,
    .finish = [](PruneOptions&, std::vector<std::string> positionals) -> Status {
      return positionals.empty()
                 ? Status()
                 : invalid_argument("\"mybuild container prune\" accepts no arguments");
    },
};

}  // namespace mybuild::cli
