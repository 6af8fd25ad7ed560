// SPDX-License-Identifier: Apache-2.0
// What `cache-mount ls` prints. Pure functions, thread-safe.
#pragma once

#include "builder/caches/store.h"
#include "cmd/mybuild/cli/cache_mount_options.h"

#include <string>
#include <vector>

namespace mybuild::cli {

struct ListedCache {
  caches::Cache cache;
  std::uint64_t size = 0;
};

/// Whether the sizes are shown, which take a walk through the files.
bool wants_sizes(const CacheMountListOptions& options);
Result<std::string> cache_mount_list_text(const std::vector<ListedCache>& caches,
                                          const CacheMountListOptions& options, Time now);
/// "\"id\" (0123456789ab)"
std::string cache_mount_name(const caches::Cache& cache);

}  // namespace mybuild::cli
