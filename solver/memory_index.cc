// SPDX-License-Identifier: Apache-2.0
#include "solver/memory_index.h"

#include "snapshotter/base/guarded.h"

#include <map>
#include <ranges>

namespace mybuild::solver {

namespace {

class MemoryIndex final : public CacheIndex {
 public:
  Result<std::vector<std::vector<CacheRecord>>> find_all(
      std::span<const DefinitionKey> keys) override {
    std::vector<std::vector<CacheRecord>> answers;
    answers.reserve(keys.size());
    const auto tables = tables_.lock();
    for (const DefinitionKey& key : keys) {
      answers.push_back(select(*tables, tables->by_definition, key));
    }
    return answers;
  }
  Result<std::vector<CacheRecord>> find(const ContentKey& key) override {
    const auto tables = tables_.lock();
    return select(*tables, tables->by_content, key);
  }
  Result<std::vector<CacheRecord>> find(const OutputId& output) override {
    const auto tables = tables_.lock();
    return select(*tables, tables->by_output, output);
  }
  Status add(const CacheRecord& record) override {
    const auto tables = tables_.lock();
    tables->by_definition[record.definition].push_back(tables->records.size());
    tables->by_content[record.content].push_back(tables->records.size());
    tables->by_output[record.output].push_back(tables->records.size());
    tables->records.push_back(record);
    return {};
  }

 private:
  template <class Key>
  using Positions = std::map<Key, std::vector<std::size_t>>;
  struct Tables {
    std::vector<CacheRecord> records;  // in the order they came
    Positions<DefinitionKey> by_definition;
    Positions<ContentKey> by_content;
    Positions<OutputId> by_output;
  };

  template <class Key>
  static std::vector<CacheRecord> select(const Tables& tables, const Positions<Key>& positions,
                                         const Key& key) {
    std::vector<CacheRecord> found;
    if (const auto at = positions.find(key); at != positions.end()) {
      for (const std::size_t position : at->second | std::views::reverse) {
        found.push_back(tables.records[position]);
      }
    }
    return found;
  }

  Guarded<Tables> tables_;
};

}  // namespace

std::unique_ptr<CacheIndex> make_memory_index() {
  return std::make_unique<MemoryIndex>();
}

}  // namespace mybuild::solver
