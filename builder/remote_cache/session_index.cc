// SPDX-License-Identifier: Apache-2.0
#include "builder/remote_cache/session_index.h"

namespace mybuild::remote_cache {

using solver::CacheRecord;
using solver::DefinitionKey;

template <class Key>
std::vector<CacheRecord> SessionIndex::ask(const Key& key) {
  for (RecordSource* source : sources_) {
    std::vector<CacheRecord> found = source->find(key);
    if (!found.empty()) {
      return found;
    }
  }
  return {};
}

Result<std::vector<std::vector<CacheRecord>>> SessionIndex::find_all(
    std::span<const DefinitionKey> keys) {
  std::vector<std::vector<CacheRecord>> found = TRY(store_.find_all(keys));
  TRY(find_vouched(keys, found));
  std::vector<DefinitionKey> unknown;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (found[i].empty()) {
      unknown.push_back(keys[i]);
    }
  }
  for (RecordSource* source : sources_) {
    if (!unknown.empty()) {
      source->expect(unknown);
    }
  }
  return found;
}

Status SessionIndex::find_vouched(std::span<const DefinitionKey> keys,
                                  std::vector<std::vector<CacheRecord>>& found) {
  std::vector<DefinitionKey> vouched;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; domain_ && i < keys.size(); ++i) {
    if (found[i].empty()) {
      vouched.push_back(vouched_key(*domain_, keys[i]));
      places.push_back(i);
    }
  }
  if (vouched.empty()) {
    return {};
  }
  std::vector<std::vector<CacheRecord>> answers = TRY(store_.find_all(vouched));
  for (std::size_t i = 0; i < answers.size(); ++i) {
    for (CacheRecord& record : answers[i]) {
      record.definition = keys[places[i]];
    }
    found[places[i]] = std::move(answers[i]);
  }
  return {};
}

Result<std::vector<CacheRecord>> SessionIndex::find_late(const DefinitionKey& key) {
  return ask(key);
}

Result<std::vector<CacheRecord>> SessionIndex::find(const solver::ContentKey& key) {
  std::vector<CacheRecord> records = TRY(store_.find(key));
  for (CacheRecord& record : ask(key)) {
    records.push_back(std::move(record));
  }
  return records;
}

Status SessionIndex::add(const CacheRecord& record) {
  TRY(store_.add(record));
  if (on_record_) {
    on_record_(record);
  }
  return {};
}

}  // namespace mybuild::remote_cache
