// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/store/sqlite_meta_store.h"
#include "snapshotter/base/file.h"
#include "snapshotter/sqlite.h"
#include "tests/contract/record_tables_suite.h"

namespace mybuild::cache_server {
namespace {

MetaStoreCase sqlite_case() {
  const auto directory = std::make_shared<TempDir>(TempDir::create().value());
  return {"Sqlite", [directory] {
            static int counter = 0;
            const std::string path = directory->path() + "/" + std::to_string(counter++) + ".db";
            return [path] { return open_sqlite_meta_store(path).value(); };
          }};
}

INSTANTIATE_TEST_SUITE_P(Stores, RecordTablesContract, ::testing::Values(sqlite_case()),
                         [](const auto& tested) { return tested.param.name; });
INSTANTIATE_TEST_SUITE_P(Stores, RecordEvictionContract, ::testing::Values(sqlite_case()),
                         [](const auto& tested) { return tested.param.name; });

/// As the first servers had it.
void make_schema_1(const std::string& path) {
  auto db = snapshotter::SqliteConnection::open(path).value();
  ASSERT_TRUE(
      db.run("ALTER TABLE blob_link ADD COLUMN kept_until INTEGER NOT NULL DEFAULT 0;"
             "DROP INDEX record_by_worth;"
             "ALTER TABLE record_use DROP COLUMN weight;"
             "ALTER TABLE record_use ADD COLUMN cost_ms INTEGER NOT NULL DEFAULT 1000;"
             "DROP TRIGGER record_body_added; DROP TRIGGER record_body_removed;"
             "DROP TRIGGER record_facts_added; DROP TRIGGER record_facts_removed;"
             "ALTER TABLE record_count DROP COLUMN bytes;"
             "DROP TRIGGER blob_link_sized; DROP TRIGGER blob_link_unsized;"
             "DROP TABLE space_size;"
             "PRAGMA user_version = 1"));
}

TEST(SqliteRecordTables, OfAnEarlierServerAreFoundAndGoWhenTheyAreOld) {
  const TempDir directory = TempDir::create().value();
  const std::string path = directory.path() + "/cache.db";
  const Time now = at_second(1'800'000'000);
  const StepRecord record = sample_record();
  const Sign sign = [](const std::string&) -> Result<std::string> { return std::string(64, '.'); };
  std::uint64_t bytes = 0;
  {
    const auto store = open_sqlite_meta_store(path).value();
    ASSERT_TRUE(store->repositories().link_blob("main", record.blob.digest, 10, now));
    ASSERT_TRUE(store->records().publish({"main"}, {{.record = record, .facts = {}}}, sign, now));
    bytes = store->records().counts()->bytes;
  }
  make_schema_1(path);
  const auto store = open_sqlite_meta_store(path).value();
  EXPECT_EQ(store->records().counts()->bytes, bytes);
  EXPECT_EQ(store->repositories().linked_bytes_of("main").value(), 10U);
  const LookupRequest keys{.definitions = {}, .contents = {record.content}};
  EXPECT_EQ(store->records().lookup({"main"}, keys, now, now)->size(), 1U);
  const auto go_on = []() -> Result<bool> { return true; };
  EXPECT_EQ(store->records()
                .evict({.blob_bytes = 1, .record_bytes = 0, .used_before = Time::max()},
                       now + std::chrono::hours(100), go_on)
                .value(),
            1U);
}

}  // namespace
}  // namespace mybuild::cache_server
