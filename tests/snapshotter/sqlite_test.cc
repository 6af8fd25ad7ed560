// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/sqlite.h"

#include "snapshotter/base/file.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace mybuild::snapshotter {
namespace {

TEST(Sqlite, ADatabaseWithoutRoomFailsAsAFullDiskDoes) {
  const TempDir directory = TempDir::create().value();
  SqliteConnection db = SqliteConnection::open(directory.path() + "/a.db").value();
  ASSERT_TRUE(db.run("CREATE TABLE t (x); PRAGMA max_page_count=3"));
  const Status full = db.run("INSERT INTO t VALUES (randomblob(100000))");
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().kind(), ErrorKind::Unavailable);
  EXPECT_EQ(full.error().os_errno(), ENOSPC);
}

TEST(Sqlite, OtherFailuresAreNoFullDisk) {
  const TempDir directory = TempDir::create().value();
  SqliteConnection db = SqliteConnection::open(directory.path() + "/a.db").value();
  EXPECT_EQ(db.run("SELECT nothing FROM nowhere").error().os_errno(), 0);
}

TEST(Sqlite, AStatementThatTheSchemaDoesNotKnowMeansDamage) {
  const TempDir directory = TempDir::create().value();
  const std::string path = directory.path() + "/a.db";
  SqliteConnection db = SqliteConnection::open(path).value();
  ASSERT_TRUE(db.run("CREATE TABLE t (spoilt)"));
  EXPECT_TRUE(check_if_marked(db, path));
  const auto query = db.query("SELECT x FROM t");
  ASSERT_FALSE(query);
  EXPECT_TRUE(is_corrupt_database(query.error()));
  const Status next = check_if_marked(db, path);
  ASSERT_FALSE(next) << "SQLite itself finds nothing wrong";
  EXPECT_EQ(next.error().message(), "no such column: x");
}

}  // namespace
}  // namespace mybuild::snapshotter
