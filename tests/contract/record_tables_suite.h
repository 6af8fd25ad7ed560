// SPDX-License-Identifier: Apache-2.0
// What every RecordTables must do; see meta_store_suite.h.
#pragma once

#include "builder/cache_server/protocol/signature.h"
#include "builder/cache_server/store/record_tables.h"
#include "builder/cache_server/store/repository_tables.h"
#include "tests/cache_server/sample.h"
#include "tests/contract/meta_store_suite.h"

#include <string>
#include <vector>

namespace mybuild::cache_server {

using Spaces = std::vector<std::string>;

class RecordTablesContract : public MetaStoreContract {
 protected:
  RecordTables& tables() { return store_->records(); }
  void link(const std::string& space, const std::string& layer, std::uint64_t size = 10);
  /// Into the first namespace, with a signature that holds its name.
  PublishAnswer::One publish(const Spaces& spaces, const StepRecord& record,
                             const std::map<std::string, std::string>& facts = {});
  PublishAnswer publish_all(const std::vector<PublishedRecord>& records);  // into main
  PublishResult result_of(const Spaces& spaces, const StepRecord& record) {
    return publish(spaces, record).result;
  }
  std::vector<SignedRecord> lookup(const Spaces& spaces, const LookupRequest& keys);
  std::vector<StepRecord> find(const Spaces& spaces, const LookupRequest& keys);
  std::vector<StepRecord> by_content(const StepRecord& record, const Spaces& spaces = {"main"}) {
    return find(spaces, {.definitions = {}, .contents = {record.content}});
  }
  std::vector<StepRecord> by_definition(const StepRecord& record, const Spaces& spaces = {"main"}) {
    return find(spaces, {.definitions = {record.definition}, .contents = {}});
  }
  bool has_blob(const std::string& space, const std::string& layer);
  RecordTables::Counts counts() { return tables().counts().value(); }

  Time time_ = now_;
};

class RecordEvictionContract : public RecordTablesContract {
 protected:
  /// With a layer of its own.
  StepRecord add(const std::string& name, std::uint64_t cost_ms = 1'000, std::uint64_t size = 10) {
    StepRecord record = sample_record(name, name);
    record.cost_ms = cost_ms;
    record.blob.size = size;
    link("main", name, size);
    EXPECT_EQ(result_of({"main"}, record), PublishResult::Accepted);
    return record;
  }
  std::uint64_t evict(std::uint64_t enough) {
    return tables()
        .evict({.blob_bytes = enough, .record_bytes = 0}, time_,
               []() -> Result<bool> { return true; })
        .value();
  }
  bool is_there(const StepRecord& record) {
    return !tables()
                .lookup({"main"}, {.definitions = {}, .contents = {record.content}}, time_, time_)
                ->empty();
  }
};

}  // namespace mybuild::cache_server
