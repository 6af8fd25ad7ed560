// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/cache_mount_list.h"

#include "cmd/mybuild/cli/elide.h"
#include "cmd/mybuild/cli/human_text.h"
#include "cmd/mybuild/cli/list_format.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace mybuild::cli {

namespace {

constexpr ListField kFields[] = {
    {"CreatedAt", "CREATED AT"},
    {"From", "FROM"},
    {"ID", "ID"},
    {"InUse", "IN USE"},
    {"Key", "KEY"},
    {"LastUsed", "LAST USED"},
    {"LastUsedAt", "LAST USED"},
    {"Mode", "MODE"},
    {"Owner", "OWNER"},
    {"Path", "PATH"},
    {"Size", "SIZE"},
    {"SizeBytes", "SIZE BYTES"},
    {"Source", "SOURCE"},
};
constexpr ListStyle kStyle = {
    .fields = kFields,
    .columns = "{{.ID}}\t{{.Key}}\t{{.Size}}\t{{.Owner}}\t{{.Mode}}\t{{.LastUsed}}\t{{.InUse}}"};

/// A cache of an older version has no record until its next use.
ListRow row_of(const ListedCache& listed, Time now) {
  const caches::Cache& cache = listed.cache;
  const auto& record = cache.record;
  const caches::CacheIdentity identity = record ? record->identity : caches::CacheIdentity();
  return {{"CreatedAt", record ? local_time(record->created) : "N/A"},
          {"From", identity.from.substr(0, identity.from.find('\n'))},
          {"ID", record ? identity.id : "<unknown>"},
          {"InUse", cache.in_use ? "yes" : "no"},
          {"Key", cache.key.substr(0, caches::kShortKey)},
          {"LastUsed", record ? ago(record->last_used, now) : "N/A"},
          {"LastUsedAt", record ? local_time(record->last_used) : "N/A"},
          {"Mode", fmt::format("{:04o}", cache.mode)},
          {"Owner", fmt::format("{}:{}", cache.uid, cache.gid)},
          {"Path", cache.dir},
          {"Size", human_size(listed.size)},
          {"SizeBytes", listed.size},
          {"Source", identity.source}};
}

}  // namespace

bool wants_sizes(const CacheMountListOptions& options) {
  const bool is_table = options.format.empty() || options.format == "table";
  return !options.quiet &&
         (is_table || options.format == "json" || format_has_field(options.format, "Size"));
}

Result<std::string> cache_mount_list_text(const std::vector<ListedCache>& caches,
                                          const CacheMountListOptions& options, Time now) {
  std::vector<ListRow> rows;
  for (const ListedCache& cache : caches) {
    rows.push_back(row_of(cache, now));
  }
  return list_text(kStyle, rows, options.quiet ? "{{.Key}}" : options.format);
}

std::string cache_mount_name(const caches::Cache& cache) {
  const std::string key = cache.key.substr(0, caches::kShortKey);
  return cache.record ? fmt::format("\"{}\" ({})", visible(cache.record->identity.id), key) : key;
}

}  // namespace mybuild::cli
