// SPDX-License-Identifier: Apache-2.0
// What is known of a cache mount's directory: what makes it this cache and no other, and when it
// was used. <dir>/<key>/record.json beside the files, for people and for other builds; a cache of
// an older version has none until its next use. Value types, thread-safe functions.
#pragma once

#include "snapshotter/base/clock.h"
#include "snapshotter/base/result.h"

#include <nlohmann/json_fwd.hpp>

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace mybuild::caches {

/// Two mounts with equal ones share their files.
struct CacheIdentity {
  std::string id;
  uid_t uid = 0;  // owner and mode of the top directory; without `from` only
  gid_t gid = 0;
  mode_t mode = 0755;
  std::string source = "/";  // with `from` only
  std::string from;          // what it starts from: diff ids or a digest of files; empty: nothing

  /// The name of its directory.
  std::string key() const;
  /// "uid=5,gid=6,mode=0700", or what it starts from, in a message.
  std::string described() const;
  bool operator==(const CacheIdentity&) const = default;
};

nlohmann::json to_json(const CacheIdentity& identity);
Result<CacheIdentity> parse_identity(const nlohmann::json& value);

struct CacheRecord {
  CacheIdentity identity;
  Time created{};
  Time last_used{};
};

/// Nullopt when there is none, or it is damaged: that keeps nobody from the files.
std::optional<CacheRecord> read_record(const std::string& cache_dir);
/// Makes or renews the record.
Status note_use(const std::string& cache_dir, const CacheIdentity& identity, Time now);
Status write_record(const std::string& cache_dir, const CacheRecord& record);

/// Other caches in `dir` that are called by the same id, in no order.
Result<std::vector<CacheIdentity>> namesakes(const std::string& dir, const CacheIdentity& identity);

}  // namespace mybuild::caches
