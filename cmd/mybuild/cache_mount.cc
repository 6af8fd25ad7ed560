// SPDX-License-Identifier: Apache-2.0
// `mybuild cache-mount …`.
#include "cmd/mybuild/cli/cache_mount_list.h"
#include "cmd/mybuild/cli/cache_mount_options.h"
#include "cmd/mybuild/cli/verb_table.h"
#include "cmd/mybuild/group_verb.h"
#include "cmd/mybuild/work.h"

namespace mybuild::cli {

namespace {

Result<int> list(const CacheMountListOptions& options) {
  auto engine = TRY(open_engine(options.global));
  std::vector<ListedCache> listed;
  for (caches::Cache& cache : TRY(engine->cache_mounts().list())) {
    const std::uint64_t size = wants_sizes(options) ? TRY(caches::cache_bytes(cache)) : 0;
    listed.push_back({.cache = std::move(cache), .size = size});
  }
  const std::string text = TRY(cache_mount_list_text(listed, options, SystemClock().now()));
  TRY(print_out(text));
  return 0;
}

/// Prints what went; an error of one keeps nobody from the others.
int remove_each(const caches::CacheStore& store, const std::vector<caches::Cache>& all) {
  int exit_code = 0;
  for (const caches::Cache& cache : all) {
    Status removed = store.remove(cache);
    removed = removed ? print_out(cache_mount_name(cache) + "\n") : std::move(removed);
    exit_code = removed ? exit_code : fail(removed.error());
  }
  return exit_code;
}

Result<int> remove(const CacheMountRmOptions& options) {
  auto engine = TRY(open_engine(options.global));
  const caches::CacheStore& store = engine->cache_mounts();
  if (options.all) {
    return remove_each(store, TRY(store.list()));
  }
  int exit_code = 0;
  for (const std::string& name : options.names) {
    const auto found = store.find(name);
    exit_code |= found ? remove_each(store, *found) : fail(found.error());
  }
  return exit_code;
}

/// A line for each.
std::string names_text(const std::vector<caches::Cache>& all) {
  std::string text;
  for (const caches::Cache& cache : all) {
    text += cache_mount_name(cache) + "\n";
  }
  return text;
}

Result<int> export_some(const CacheMountExportOptions& options) {
  return run_transfer(
      options,
      [&](builder::Engine& engine, solver::EventSink& events,
          Cancel& cancel) -> Result<std::string> {
        TRY(engine.export_cache_mounts(options.names, options.output, events, cancel));
        return std::string();
      });
}

Result<int> import_some(const CacheMountImportOptions& options) {
  return run_transfer(options,
                      [&](builder::Engine& engine, solver::EventSink& events,
                          Cancel& cancel) -> Result<std::string> {
                        const std::vector<caches::Cache> all = TRY(
                            engine.import_cache_mounts(options.input, options.id, events, cancel));
                        return names_text(all);
                      });
}

constexpr Verb kVerbs[] = {
    {"ls", "List cache mounts", verb<kCacheMountListCommand, list>},
    {"list", "The same as ls", verb<kCacheMountListCommand, list>},
    {"rm", "Remove cache mounts that no step uses", verb<kCacheMountRmCommand, remove>},
    {"export", "Write cache mounts to an archive", verb<kCacheMountExportCommand, export_some>},
    {"import", "Take cache mounts from an archive", verb<kCacheMountImportCommand, import_some>},
};

}  // namespace

int cache_mount_verb(std::span<const std::string> args) {
  return dispatch_group({.name = "cache-mount",
                         .summary = "Manage what RUN --mount=type=cache keeps between builds",
                         .verbs = kVerbs},
                        args);
}

}  // namespace mybuild::cli
