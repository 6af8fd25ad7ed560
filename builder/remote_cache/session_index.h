// SPDX-License-Identifier: Apache-2.0
// SessionIndex: the records that one build looks for: those of the store, then those of other
// machines. What is imported is never asked for by its output, and never written to the store from
// here. Tells who sends steps elsewhere of each one as soon as it is recorded. Thread-safe.
#pragma once

#include "builder/remote_cache/record_source.h"
#include "builder/remote_cache/vouched.h"
#include "solver/cache_index.h"

#include <functional>
#include <vector>

namespace mybuild::remote_cache {

class SessionIndex final : public solver::CacheIndex {
 public:
  using OnRecord = std::function<void(const solver::CacheRecord&)>;
  /// `sources`: in the order to ask them. `on_record` may be empty. Of the records that the store
  /// has on somebody's word those of `domain` count. References outlive the object.
  SessionIndex(solver::CacheIndex& store, std::vector<RecordSource*> sources, OnRecord on_record,
               TrustDomain domain = std::nullopt)
      : store_(store),
        sources_(std::move(sources)),
        on_record_(std::move(on_record)),
        domain_(domain) {}

  Result<std::vector<std::vector<solver::CacheRecord>>> find_all(
      std::span<const solver::DefinitionKey> keys) override;
  Result<std::vector<solver::CacheRecord>> find_late(const solver::DefinitionKey& key) override;
  Result<std::vector<solver::CacheRecord>> find(const solver::ContentKey& key) override;
  Result<std::vector<solver::CacheRecord>> find(const solver::OutputId& output) override {
    return store_.find(output);
  }
  Status add(const solver::CacheRecord& record) override;

 private:
  /// Those of the first source that has some.
  template <class Key>
  std::vector<solver::CacheRecord> ask(const Key& key);

  /// Adds to `found` what the store has of `keys` on the word of others.
  Status find_vouched(std::span<const solver::DefinitionKey> keys,
                      std::vector<std::vector<solver::CacheRecord>>& found);

  solver::CacheIndex& store_;
  const std::vector<RecordSource*> sources_;
  const OnRecord on_record_;
  const TrustDomain domain_;
};

}  // namespace mybuild::remote_cache
