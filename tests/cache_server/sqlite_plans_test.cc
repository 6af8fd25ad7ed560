// SPDX-License-Identifier: Apache-2.0
// With a million records nothing may look at all rows of a table: SQLite is asked how it runs each
// statement that the store has prepared.
#include "builder/cache_server/store/record_tables.h"
#include "builder/cache_server/store/repository_tables.h"
#include "builder/cache_server/store/sqlite_meta_store.h"
#include "snapshotter/base/file.h"
#include "tests/cache_server/sample.h"

#include <gmock/gmock.h>
#include <sqlite3.h>

namespace mybuild::cache_server {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

std::vector<sqlite3*>& connections() {
  static std::vector<sqlite3*> all;
  return all;
}

int note_connection(sqlite3* db, char**, const sqlite3_api_routines*) {
  connections().push_back(db);
  return SQLITE_OK;
}

/// Notes every connection that is opened while it lives.
class Connections {
 public:
  Connections() { sqlite3_auto_extension(entry()); }
  ~Connections() {
    sqlite3_cancel_auto_extension(entry());
    connections().clear();
  }

 private:
  static void (*entry())() { return reinterpret_cast<void (*)()>(note_connection); }
};

std::string plan_of(sqlite3* db, const std::string& sql) {
  std::string plan;
  sqlite3_stmt* explained = nullptr;
  EXPECT_EQ(sqlite3_prepare_v2(db, ("EXPLAIN QUERY PLAN " + sql).c_str(), -1, &explained, nullptr),
            SQLITE_OK)
      << sql;
  while (sqlite3_step(explained) == SQLITE_ROW) {
    plan += reinterpret_cast<const char*>(sqlite3_column_text(explained, 3));
    plan += "\n";
  }
  sqlite3_finalize(explained);
  return plan;
}

std::vector<std::string> prepared(sqlite3* db) {
  std::vector<std::string> statements;
  for (sqlite3_stmt* each = sqlite3_next_stmt(db, nullptr); each != nullptr;
       each = sqlite3_next_stmt(db, each)) {
    statements.emplace_back(sqlite3_sql(each));
  }
  return statements;
}

/// Tables of one row, and the schema, which is asked at the start.
bool is_of_few_rows(const std::string& plan) {
  return plan == "SCAN linked\n" || plan == "SCAN record_count\n" || plan == "SCAN sqlite_master\n";
}

class SqlitePlans : public testing::Test {
 protected:
  /// All that a server does all the time, once.
  void live() {
    RepositoryTables& blobs = meta_->repositories();
    RecordTables& records = meta_->records();
    const StepRecord record = sample_record();
    const Digest blob = record.blob.digest;
    const auto go_on = []() -> Result<bool> { return true; };
    ASSERT_TRUE(blobs.link_blob("main", blob, record.blob.size, now_));
    ASSERT_TRUE(blobs.find_blob({"main"}, blob, now_ + hours(1)));
    ASSERT_TRUE(blobs.has_blob({"main"}, blob));
    ASSERT_TRUE(blobs.has_blob_anywhere(blob, now_ + hours(1)));
    ASSERT_TRUE(blobs.linked_bytes());
    const Sign sign = [](const std::string&) -> Result<std::string> {
      return std::string(64, '.');
    };
    for (int i = 0; i < 2; ++i) {
      ASSERT_TRUE(records.publish({"main"}, {{.record = record, .facts = {}}}, sign, now_));
    }
    const LookupRequest keys{.definitions = {record.definition}, .contents = {record.content}};
    ASSERT_TRUE(records.lookup({"main"}, keys, now_, now_ + hours(24)));
    ASSERT_TRUE(records.cost({"main"}, record.definition));
    ASSERT_TRUE(records.nearest({"main"}, {.step = record.step, .facts = {}}));
    ASSERT_TRUE(records.set_pin({.space = "main", .content = record.content}, true));
    ASSERT_TRUE(records.set_pin({.space = "main", .content = record.content}, false));
    ASSERT_TRUE(records.counts());
    ASSERT_TRUE(records.remove_since("main", now_ + hours(1)));
    ASSERT_EQ(records
                  .evict({.blob_bytes = 1, .record_bytes = 0, .used_before = Time::max()},
                         now_ + hours(100), go_on)
                  .value(),
              1U);
    ASSERT_EQ(blobs.unlink_unused(now_, 1)->free.size(), 1U);
    ASSERT_TRUE(blobs.is_linked(blob));
  }

  using hours = std::chrono::hours;
  const Time now_ = at_second(1'800'000'000);
  const TempDir directory_ = TempDir::create().value();
  const Connections noted_;
  const std::unique_ptr<MetaStore> meta_ =
      open_sqlite_meta_store(directory_.path() + "/cache.db").value();
};

TEST_F(SqlitePlans, NothingThatIsDoneOftenLooksAtAllOfATable) {
  live();
  std::size_t seen = 0;
  for (sqlite3* db : connections()) {
    for (const std::string& sql : prepared(db)) {
      const std::string plan = plan_of(db, sql);
      ++seen;
      if (!is_of_few_rows(plan)) {
        EXPECT_THAT(plan, Not(ContainsRegex("SCAN [^C]"))) << sql;  // "CONSTANT ROW" is none
        EXPECT_THAT(plan, Not(HasSubstr("TEMP B-TREE"))) << sql;
      }
    }
  }
  EXPECT_GT(seen, 25U) << "the statements are kept when they have run";
}

TEST_F(SqlitePlans, AnEvictionReadsNothingButItsIndex) {
  live();
  std::string plans;
  for (sqlite3* db : connections()) {
    for (const std::string& sql : prepared(db)) {
      plans += plan_of(db, sql);
    }
  }
  EXPECT_THAT(plans, HasSubstr("USING COVERING INDEX record_by_worth "
                               "(pinned=? AND weight=? AND last_used>?)"));
}

}  // namespace
}  // namespace mybuild::cache_server
