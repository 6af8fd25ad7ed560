// SPDX-License-Identifier: Apache-2.0
// `mybuild volume …`.
#include "builder/run/disk_usage.h"
#include "builder/run/names.h"
#include "cmd/mybuild/cli/confirm.h"
#include "cmd/mybuild/cli/values.h"
#include "cmd/mybuild/cli/verb_table.h"
#include "cmd/mybuild/cli/volume_list.h"
#include "cmd/mybuild/cli/volume_options.h"
#include "cmd/mybuild/group_verb.h"

namespace mybuild::cli {

namespace {

run::VolumeUsers users_in(builder::Engine& engine) {
  return [&engine](const std::string& volume) { return engine.containers().users_of(volume); };
}

/// --filter dangling=…
Status drop_by_use(std::vector<run::VolumeInfo>& volumes, builder::Engine& engine,
                   const std::string& dangling) {
  const bool wanted = TRY(parse_bool(dangling));
  std::vector<run::VolumeInfo> kept;
  for (run::VolumeInfo& volume : volumes) {
    if (TRY(engine.containers().users_of(volume.name)).empty() == wanted) {
      kept.push_back(std::move(volume));
    }
  }
  volumes = std::move(kept);
  return {};
}

Result<int> list(const VolumeListOptions& options) {
  auto engine = TRY(open_engine(options.global));
  auto volumes = TRY(engine->volumes().list());
  if (const auto dangling = options.filters.find("dangling"); dangling != options.filters.end()) {
    TRY(drop_by_use(volumes, *engine, dangling->second));
  }
  const std::string text = TRY(volume_list_text(volumes, options));
  TRY(print_out(text));
  return 0;
}

Result<int> create(const VolumeCreateOptions& options) {
  auto engine = TRY(open_engine(options.global));
  run::VolumeInfo wanted;
  wanted.anonymous = options.name.empty();
  wanted.name = wanted.anonymous ? TRY(run::new_id()) : options.name;
  wanted.labels = options.labels;
  const run::VolumeInfo made = TRY(engine->volumes().ensure(wanted));
  TRY(print_out(made.name + "\n"));
  return 0;
}

Result<int> remove(const VolumeRmOptions& options) {
  auto engine = TRY(open_engine(options.global));
  int exit_code = 0;
  for (const std::string& name : options.names) {
    const Status removed = engine->volumes().remove(name, users_in(*engine));
    const bool missing = !removed && removed.error().kind() == ErrorKind::NotFound;
    if (removed || (missing && options.force)) {
      TRY(print_out(name + "\n"));
    } else {
      exit_code = fail(removed.error());
    }
  }
  return exit_code;
}

Result<int> prune(const PruneOptions& options) {
  const char* what = options.all ? "This will remove all volumes that no container uses."
                                 : "This will remove all anonymous volumes that no container uses.";
  if (!options.force && !confirmed(what)) {
    return 0;
  }
  auto engine = TRY(open_engine(options.global));
  std::string removed;
  std::uint64_t bytes = 0;
  for (const run::VolumeInfo& volume : TRY(engine->volumes().list())) {
    if (!(options.all || volume.anonymous) ||
        !TRY(engine->containers().users_of(volume.name)).empty()) {
      continue;
    }
    const std::uint64_t size = run::tree_bytes(volume.path).value_or(0);
    if (engine->volumes().remove(volume.name, users_in(*engine))) {
      removed += volume.name + "\n";
      bytes += size;
    }
  }
  TRY(print_out(prune_text("Deleted Volumes", removed, bytes)));
  return 0;
}

constexpr Verb kVerbs[] = {
    {"ls", "List volumes", verb<kVolumeListCommand, list>},
    {"list", "The same as ls", verb<kVolumeListCommand, list>},
    {"create", "Make a volume and print its name", verb<kVolumeCreateCommand, create>},
    {"rm", "Remove volumes that no container uses", verb<kVolumeRmCommand, remove>},
    {"inspect", "Print what is known about volumes, as JSON", volume_inspect_verb},
    {"prune", "Remove anonymous volumes that no container uses", verb<kVolumePruneCommand, prune>},
};

}  // namespace

int volume_verb(std::span<const std::string> args) {
  return dispatch_group({.name = "volume", .summary = "Manage volumes", .verbs = kVerbs}, args);
}

}  // namespace mybuild::cli
