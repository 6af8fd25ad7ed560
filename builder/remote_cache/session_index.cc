// SPDX-License-Identifier: Apache-2.0
#include "builder/remote_cache/session_index.h"

namespace mybuild::remote_cache {

using solver::CacheRecord;

Result<std::vector<CacheRecord>> SessionIndex::find_late(const solver::DefinitionKey& key) {
  return imported_ == nullptr ? std::vector<CacheRecord>() : imported_->find(key);
}

Result<std::vector<CacheRecord>> SessionIndex::find(const solver::ContentKey& key) {
  std::vector<CacheRecord> records = TRY(store_.find(key));
  if (imported_ != nullptr) {
    for (CacheRecord& record : imported_->find(key)) {
      records.push_back(std::move(record));
    }
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
