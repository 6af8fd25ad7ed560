// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/file.h"
#include "snapshotter/build_tables_sqlite.h"
#include "snapshotter/metadata.h"

#include <gtest/gtest.h>

namespace mybuild::snapshotter {
namespace {

class BuildTablesTest : public ::testing::Test {
 protected:
  BuildTablesTest() {
    const std::string path = directory_.path() + "/state.db";
    (void)Metadata::open(path).value();  // makes the schema
    db_ = std::make_unique<Guarded<SqliteConnection>>(SqliteConnection::open(path).value());
    tables_ = make_build_tables(*db_, {.builds = 3, .part_bytes = 100, .parts = 5});
  }

  void add(const std::string& id) {
    BuildRow row;
    row.id = id;
    row.created = 7;
    row.last = 7;
    row.duration = 9;
    row.subject = "{}";
    row.image = "i";
    row.error = "e";
    row.outcomes = "dhr";
    row.part = Digest::of(id);
    ASSERT_TRUE(tables_->add_build(row));
  }

  TempDir directory_ = TempDir::create().value();
  std::unique_ptr<Guarded<SqliteConnection>> db_;
  std::unique_ptr<BuildTables> tables_;
};

TEST_F(BuildTablesTest, ABuildComesBackAsItWas) {
  EXPECT_FALSE(tables_->newest_build().value());
  add("a");
  const BuildRow row = tables_->newest_build().value().value();
  EXPECT_EQ(row.id, "a");
  EXPECT_EQ(row.created, 7);
  EXPECT_EQ(row.duration, 9);
  EXPECT_EQ(row.image, "i");
  EXPECT_EQ(row.error, "e");
  EXPECT_EQ(row.outcomes, "dhr");
  EXPECT_EQ(row.part, Digest::of("a"));
  ASSERT_TRUE(tables_->repeat_build(row.number, 8, 10));
  const BuildRow repeated = tables_->newest_build().value().value();
  EXPECT_EQ(repeated.repeats, 1U);
  EXPECT_EQ(repeated.last, 8);
  EXPECT_EQ(repeated.created, 7);
}

TEST_F(BuildTablesTest, TheNewestBuildsStay) {
  for (const char* id : {"a", "b", "c", "d", "e"}) {
    add(id);
  }
  const auto rows = tables_->builds().value();
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows.front().id, "e");
  EXPECT_EQ(rows.back().id, "c");
}

TEST_F(BuildTablesTest, PartsHoldAnyBytesAndTheOldestGo) {
  const std::string bytes("\0\xff\x01", 3);
  ASSERT_TRUE(tables_->put_part(Digest::of("a"), bytes));
  ASSERT_TRUE(tables_->put_part(Digest::of("a"), "other"));  // it is known by its digest
  EXPECT_EQ(tables_->find_part(Digest::of("a")).value(), bytes);
  ASSERT_TRUE(tables_->put_part(Digest::of("b"), std::string(60, 'x')));
  EXPECT_TRUE(tables_->has_part(Digest::of("a")).value());
  ASSERT_TRUE(tables_->put_part(Digest::of("c"), std::string(60, 'y')));
  EXPECT_FALSE(tables_->has_part(Digest::of("a")).value());
  EXPECT_FALSE(tables_->has_part(Digest::of("b")).value());
  EXPECT_EQ(tables_->find_part(Digest::of("c")).value(), std::string(60, 'y'));
  EXPECT_FALSE(tables_->find_part(Digest::of("b")).value());
}

TEST_F(BuildTablesTest, TheCountOfPartsIsBoundedToo) {
  for (int i = 0; i < 9; ++i) {
    ASSERT_TRUE(tables_->put_part(Digest::of(std::to_string(i)), "x"));
  }
  EXPECT_FALSE(tables_->has_part(Digest::of("3")).value());
  EXPECT_TRUE(tables_->has_part(Digest::of("4")).value());
}

}  // namespace
}  // namespace mybuild::snapshotter
