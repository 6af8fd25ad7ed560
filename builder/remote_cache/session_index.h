// SPDX-License-Identifier: Apache-2.0
// SessionIndex: the records that one build looks for: those of the store, then imported ones. What
// is imported is never asked for by its output, and never written to the store from here. Tells who
// exports a cache of each step as soon as it is recorded. Thread-safe.
#pragma once

#include "builder/remote_cache/imported_cache.h"
#include "solver/cache_index.h"

#include <functional>

namespace mybuild::remote_cache {

class SessionIndex final : public solver::CacheIndex {
 public:
  using OnRecord = std::function<void(const solver::CacheRecord&)>;
  /// `imported` may be null, `on_record` empty. References outlive the object.
  SessionIndex(solver::CacheIndex& store, ImportedCache* imported, OnRecord on_record)
      : store_(store), imported_(imported), on_record_(std::move(on_record)) {}

  Result<std::vector<std::vector<solver::CacheRecord>>> find_all(
      std::span<const solver::DefinitionKey> keys) override {
    return store_.find_all(keys);
  }
  Result<std::vector<solver::CacheRecord>> find_late(const solver::DefinitionKey& key) override;
  Result<std::vector<solver::CacheRecord>> find(const solver::ContentKey& key) override;
  Result<std::vector<solver::CacheRecord>> find(const solver::OutputId& output) override {
    return store_.find(output);
  }
  Status add(const solver::CacheRecord& record) override;

 private:
  solver::CacheIndex& store_;
  ImportedCache* const imported_;
  const OnRecord on_record_;
};

}  // namespace mybuild::remote_cache
