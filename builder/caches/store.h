// SPDX-License-Identifier: Apache-2.0
// CacheStore: the cache mounts of a state directory from outside of builds: what there is, and
// taking one away or putting one in, which never happens to one that a step uses. Thread-safe,
// safe between processes and after kill -9 at any moment.
#pragma once

#include "builder/caches/record.h"

#include <cstdint>
#include <string>
#include <vector>

namespace mybuild::caches {

inline constexpr std::size_t kShortKey = 12;

struct Cache {
  std::string key;
  std::string dir;
  std::vector<std::string> slots;     // slots.h
  std::optional<CacheRecord> record;  // none: not used since records are kept
  uid_t uid = 0;                      // as the identity says, else those of the files
  gid_t gid = 0;
  mode_t mode = 0;
  bool in_use = false;
};

class CacheStore {
 public:
  /// `trash_dir` as for volumes.
  CacheStore(std::string dir, std::string trash_dir, const Clock& clock)
      : dir_(std::move(dir)), trash_dir_(std::move(trash_dir)), clock_(clock) {}

  /// By id and key, those without a record last.
  Result<std::vector<Cache>> list() const;
  /// All that have the id, else the one whose key begins so (with at least six digits). NotFound.
  Result<std::vector<Cache>> find(const std::string& id_or_key) const;
  /// Denied while a step uses it.
  Status remove(const Cache& cache) const;
  /// Puts `trees` (by slot, each a directory or a file on the store's file system) in the place of
  /// what the cache has. Denied while a step uses it.
  Result<Cache> replace(const CacheIdentity& identity, const std::vector<std::string>& trees) const;

 private:
  Result<std::optional<Cache>> look(const std::string& key) const;

  const std::string dir_;
  const std::string trash_dir_;
  const Clock& clock_;
};

/// Bytes of its files; takes a walk through them.
Result<std::uint64_t> cache_bytes(const Cache& cache);

}  // namespace mybuild::caches
