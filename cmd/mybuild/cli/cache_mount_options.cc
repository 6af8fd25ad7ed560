// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/cache_mount_options.h"

#include "cmd/mybuild/cli/values.h"

#include <unistd.h>

namespace mybuild::cli {

namespace {

constexpr Flag<CacheMountListOptions> kListFlags[] = {
    {{.name = "format",
      .argument = "FORMAT",
      .help = "json, a template such as '{{.ID}}', or 'table TEMPLATE'"},
     [](CacheMountListOptions& options, std::string_view value) -> Status {
       options.format = value;
       return {};
     }},
    {{.name = "quiet", .letter = 'q', .help = "Print keys only"},
     [](CacheMountListOptions& options, std::string_view value) -> Status {
       options.quiet = TRY(parse_bool(value));
       return {};
     }},
};

constexpr Flag<CacheMountRmOptions> kRmFlags[] = {
    {{.name = "all", .letter = 'a', .help = "All that no step uses now"},
     [](CacheMountRmOptions& options, std::string_view value) -> Status {
       options.all = TRY(parse_bool(value));
       return {};
     }},
};

constexpr Flag<CacheMountExportOptions> kExportFlags[] = {
    {{.name = "output",
      .letter = 'o',
      .argument = "FILE",
      .help = "Write to a file instead of standard output; compressed if it ends in .zst or .gz"},
     [](CacheMountExportOptions& options, std::string_view value) -> Status {
       options.output = value;
       return {};
     }},
};

constexpr Flag<TransferOptions> kProgressFlags[] = {
    {{.name = "progress",
      .argument = "MODE",
      .help = "How to show progress: auto, tty, plain or quiet"},
     [](TransferOptions& options, std::string_view value) -> Status {
       options.progress = TRY(parse_progress(value));
       return {};
     }},
    {{.name = "quiet", .letter = 'q', .help = "Show no progress"},
     [](TransferOptions& options, std::string_view value) -> Status {
       options.quiet = TRY(parse_bool(value));
       return {};
     }},
};

template <class Options, auto& table>
void add_flags(FlagSet& flags, Options& options) {
  flags.add(table, options);
  add_global_flags(flags, options.global);
}

Status finish_rm(CacheMountRmOptions& options, std::vector<std::string> names) {
  if (options.all != names.empty()) {
    return options.all ? invalid_argument("--all and names exclude each other")
                       : invalid_argument("at least 1 cache mount has to be named")
                             .with_hint("--all removes all that no step uses now");
  }
  options.names = std::move(names);
  return {};
}

Status finish_export(CacheMountExportOptions& options, std::vector<std::string> names) {
  if (names.empty()) {
    return invalid_argument("at least 1 cache mount has to be named");
  }
  if (options.output == "-" && ::isatty(STDOUT_FILENO) != 0) {
    return invalid_argument("will not write an archive to a terminal")
        .with_hint("name a file with -o, or redirect standard output");
  }
  options.names = std::move(names);
  return {};
}

Status finish_import(CacheMountImportOptions& options, std::vector<std::string> positionals) {
  if (positionals.empty() || positionals.size() > 2) {
    return invalid_argument("\"mybuild cache-mount import\" takes a file and an id, not {} words",
                            positionals.size());
  }
  options.input = std::move(positionals.front());
  if (positionals.size() == 2) {
    options.id = std::move(positionals.back());
  }
  if (options.input == "-" && ::isatty(STDIN_FILENO) != 0) {
    return invalid_argument("will not read an archive from a terminal")
        .with_hint("name a file, or redirect standard input");
  }
  return {};
}

}  // namespace

const Command<CacheMountListOptions> kCacheMountListCommand = {
    .text = {.name = "cache-mount ls",
             .usage = "mybuild cache-mount ls [OPTIONS]",
             .summary = "List the directories that RUN --mount=type=cache keeps",
             .notes = "One id with several owners, modes or starts is several caches, each with a\n"
                      "key of its own."},
    .order = FlagSet::Order::Interspersed,
    .add_flags = add_flags<CacheMountListOptions, kListFlags>,
    .finish = [](CacheMountListOptions&, std::vector<std::string> positionals) -> Status {
      return positionals.empty()
                 ? Status()
                 : invalid_argument("no arguments are taken, not even '{}'", positionals.front());
    },
};

const Command<CacheMountRmOptions> kCacheMountRmCommand = {
    .text = {.name = "cache-mount rm",
             .usage = "mybuild cache-mount rm [OPTIONS] ID|KEY [ID|KEY...]",
             .summary = "Remove cache mounts that no step uses",
             .notes = "An id stands for all caches that have it."},
    .order = FlagSet::Order::Interspersed,
    .add_flags = add_flags<CacheMountRmOptions, kRmFlags>,
    .finish = finish_rm,
};

const Command<CacheMountExportOptions> kCacheMountExportCommand = {
    .text = {.name = "cache-mount export",
             .usage = "mybuild cache-mount export [OPTIONS] ID|KEY [ID|KEY...]",
             .summary = "Write cache mounts to an archive, for import on another machine",
             .notes = "An id stands for all caches that have it. A cache in use is waited for."},
    .order = FlagSet::Order::Interspersed,
    .add_flags =
        [](FlagSet& flags, CacheMountExportOptions& options) {
          flags.add(kExportFlags, options);
          flags.add<TransferOptions>(kProgressFlags, options);
          add_global_flags(flags, options.global);
        },
    .finish = finish_export,
};

const Command<CacheMountImportOptions> kCacheMountImportCommand = {
    .text = {.name = "cache-mount import",
             .usage = "mybuild cache-mount import [OPTIONS] FILE|- [ID]",
             .summary = "Take the cache mounts of an archive in the place of those that are here",
             .notes = "The archive says which id, owner and mode they have; ID gives another id.\n"
                      "A cache that a step uses is not replaced."},
    .order = FlagSet::Order::Interspersed,
    .add_flags =
        [](FlagSet& flags, CacheMountImportOptions& options) {
          flags.add<TransferOptions>(kProgressFlags, options);
          add_global_flags(flags, options.global);
        },
    .finish = finish_import,
};

}  // namespace mybuild::cli
