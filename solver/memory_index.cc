// SPDX-License-Identifier: Apache-2.0
#include "solver/memory_index.h"

#include "snapshotter/base/guarded.h"

#include <algorithm>
#include <iterator>
#include <ranges>

namespace mybuild::solver {

namespace {

class MemoryIndex final : public CacheIndex {
 public:
  Result<std::vector<CacheRecord>> find(const DefinitionKey& key) override {
    return select([&](const CacheRecord& record) { return record.definition == key; });
  }
  Result<std::vector<CacheRecord>> find(const ContentKey& key) override {
    return select([&](const CacheRecord& record) { return record.content == key; });
  }
  Result<std::vector<CacheRecord>> find(const OutputId& output) override {
    return select([&](const CacheRecord& record) { return record.output == output; });
  }
  Status add(const CacheRecord& record) override {
    records_.lock()->push_back(record);
    return {};
  }

 private:
  template <class Matches>
  std::vector<CacheRecord> select(Matches matches) {
    std::vector<CacheRecord> found;
    const auto records = records_.lock();
    std::ranges::copy_if(*records | std::views::reverse, std::back_inserter(found), matches);
    return found;
  }

  Guarded<std::vector<CacheRecord>> records_;
};

}  // namespace

std::unique_ptr<CacheIndex> make_memory_index() {
  return std::make_unique<MemoryIndex>();
}

}  // namespace mybuild::solver
