// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/service/state.h"

#include "builder/cache_server/store/access_tables.h"
#include "builder/cache_server/store/repository_tables.h"
#include "builder/cache_server/store/sqlite_meta_store.h"
#include "snapshotter/sqlite.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace mybuild::cache_server {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class StateTest : public testing::Test {
 protected:
  TempDir dir_ = TempDir::create().value();
  const std::string place_ = dir_.path() + "/state";
  SystemClock clock_;
};

TEST_F(StateTest, IsMadeForOneServerAndOneUser) {
  const auto state = ServerState::open(place_).value();
  struct stat info {};
  ASSERT_EQ(::stat(place_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700U);
  const auto second = ServerState::open(place_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind(), ErrorKind::AlreadyExists);
  EXPECT_TRUE(state->meta().access().find_space(std::string(kDefaultSpace)).value());
}

TEST_F(StateTest, TheLocalTokenStaysWhatItIs) {
  const std::string first = ServerState::open(place_).value()->local_token(clock_.now()).value();
  const auto again = ServerState::open(place_).value();
  EXPECT_EQ(again->local_token(clock_.now()).value(), first);
  EXPECT_EQ(again->meta().access().tokens().value().size(), 1U);
  struct stat info {};
  ASSERT_EQ(::stat((place_ + "/local-token").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
}

TEST_F(StateTest, ALocalTokenThatTheDatabaseDoesNotKnowIsReplaced) {
  ASSERT_TRUE(ServerState::open(place_));
  ASSERT_TRUE(write_file(place_ + "/local-token", "mbt_old"));
  EXPECT_NE(ServerState::open(place_).value()->local_token(clock_.now()).value(), "mbt_old");
}

class DamagedStateTest : public StateTest {
 protected:
  /// Of a server that ran, with a key that clients may know.
  void SetUp() override {
    const auto state = ServerState::open(place_).value();
    ASSERT_TRUE(state->local_token(clock_.now()));
    key_ = key_of(*state);
    auto connection = snapshotter::SqliteConnection::open(database_).value();
    ASSERT_TRUE(connection.query("PRAGMA wal_checkpoint(TRUNCATE)").value().run());
  }
  static Digest key_of(ServerState& state) {
    return Digest::of(state.meta().access().find_space(std::string(kDefaultSpace)).value()->seed);
  }
  std::string refusal() {
    const auto state = ServerState::open(place_);
    EXPECT_FALSE(open_server_admin(place_, IfMissing::Make)) << "nor is a token made there";
    return state ? "" : state.error().message() + "; " + state.error().hint();
  }
  std::string bytes() { return read_file(database_).value(); }
  void write(const std::string& text) { ASSERT_TRUE(write_file(database_, text)); }

  const std::string database_ = place_ + "/cache.db";
  Digest key_;
};

TEST_F(DamagedStateTest, AnEmptyDatabaseBesideLayersGetsNoNewKeys) {
  const std::string good = bytes();
  write("");
  EXPECT_THAT(refusal(), HasSubstr("cache.db is empty, and there are layers beside it"));
  EXPECT_THAT(refusal(), HasSubstr("move the whole directory away"));
  ASSERT_EQ(::unlink(database_.c_str()), 0);
  EXPECT_THAT(refusal(), HasSubstr("cache.db is gone, and there are layers"));
  std::filesystem::remove_all(place_ + "/content");
  EXPECT_THAT(refusal(), HasSubstr("there is a token beside it"));
  write(good);
  EXPECT_EQ(key_of(*ServerState::open(place_).value()), key_) << "the copy was put back";
}

TEST_F(DamagedStateTest, ADatabaseWhoseLogIsLostGetsNoNewKeys) {
  std::filesystem::remove(database_);
  {
    auto connection = snapshotter::SqliteConnection::open(database_).value();
    ASSERT_TRUE(connection.use_wal());
  }
  ASSERT_GT(bytes().size(), 0U) << "a header without a table";
  EXPECT_THAT(refusal(), HasSubstr("cache.db is without keys, and there are layers beside it"));
}

TEST_F(DamagedStateTest, TablesWithoutANamespaceGetNoNewKeys) {
  {
    auto connection = snapshotter::SqliteConnection::open(database_).value();
    ASSERT_TRUE(connection.run("DELETE FROM space"));
  }
  EXPECT_THAT(refusal(), HasSubstr("cache.db is without keys"));
}

class CopiedStateTest : public StateTest {
 protected:
  void copy() { std::filesystem::copy_file(place_ + "/cache.db", copy_); }
  /// Instead of all that there is of the database.
  void put_back() {
    for (const char* end : {"", "-wal", "-shm"}) {
      std::filesystem::remove(place_ + "/cache.db" + end);
    }
    std::filesystem::copy_file(copy_, place_ + "/cache.db");
  }
  const std::string copy_ = dir_.path() + "/copy";
};

TEST_F(CopiedStateTest, ACopyBesideAServerThatRunsHasKeysAndTokens) {
  std::string seed;
  std::string secret;
  {
    const auto state = ServerState::open(place_).value();
    const auto admin = open_server_admin(place_, IfMissing::Make).value();
    ASSERT_TRUE(admin->make_space("team", ""));
    secret = admin->make_token({.space = "team", .scopes = 1, .note = "", .expires = std::nullopt})
                 .value()
                 .secret;
    copy();
    seed = state->meta().access().find_space("team").value()->seed;
  }
  put_back();
  const auto again = ServerState::open(place_).value();
  EXPECT_EQ(again->meta().access().find_space("team").value()->seed, seed);
  EXPECT_TRUE(again->meta().access().find_token(Digest::of(secret)).value());
}

TEST_F(CopiedStateTest, ACopyOfAServerThatStoppedHasAllThatItKnew) {
  const Digest blob = Digest::of("a layer");
  const std::string space(kDefaultSpace);
  ASSERT_TRUE(ServerState::open(place_).value()->meta().repositories().link_blob(space, blob, 7,
                                                                                 clock_.now()));
  copy();
  put_back();
  EXPECT_TRUE(ServerState::open(place_).value()->meta().repositories().is_linked(blob).value());
}

TEST_F(DamagedStateTest, OneThatACrashLeftBeforeAnythingElseIsMade) {
  std::filesystem::remove_all(place_);
  ASSERT_TRUE(make_dirs(place_, 0700));
  write("");
  EXPECT_TRUE(ServerState::open(place_));
}

TEST_F(DamagedStateTest, AFileThatIsNoDatabaseIsLeftAsItIs) {
  for (const std::string& text : {std::string(8192, 'x'),
                                  "\x7f"
                                  "ELF" +
                                      bytes()}) {
    write(text);
    EXPECT_THAT(refusal(), AllOf(HasSubstr("the cache server's " + database_),
                                 HasSubstr("not a database"), HasSubstr("put a copy of it back")));
    EXPECT_EQ(bytes(), text);
  }
}

TEST_F(DamagedStateTest, TheDatabaseOfSomethingElseIsTold) {
  for (const char* schema : {"0", "1", "7"}) {
    std::filesystem::remove(database_);
    {
      auto other = snapshotter::SqliteConnection::open(database_).value();
      ASSERT_TRUE(other.run("CREATE TABLE layers (x)"));
      ASSERT_TRUE(other.run((std::string("PRAGMA user_version = ") + schema).c_str()));
    }
    EXPECT_THAT(refusal(), HasSubstr("it is the database of something else")) << schema;
  }
}

TEST_F(DamagedStateTest, DamageInTheMiddleIsToldAtTheNextStart) {
  std::string text = bytes();
  ASSERT_GT(text.size(), std::size_t{3} * 4096);
  text.replace(4096, text.size() - 4096, text.size() - 4096, '\x55');
  write(text);
  if (const auto state = ServerState::open(place_)) {
    (void)(*state)->meta().access().tokens();
    EXPECT_TRUE((*state)->is_damaged()) << "/readyz says so meanwhile";
  }
  EXPECT_THAT(refusal(),
              AllOf(HasSubstr("the cache server's "), HasSubstr("put a copy of it back")));
}

TEST_F(DamagedStateTest, AMarkWithoutDamageGoes) {
  ASSERT_TRUE(write_file(database_ + ".damaged", ""));
  EXPECT_EQ(key_of(*ServerState::open(place_).value()), key_);
  EXPECT_FALSE(ServerState::open(place_).value()->is_damaged());
}

TEST_F(StateTest, ADirectoryThatOthersMayReadIsClosed) {
  ASSERT_EQ(::mkdir(place_.c_str(), 0755), 0);
  const auto state = ServerState::open(place_).value();
  for (const char* name : {"", "/cache.db", "/cache.db-wal"}) {
    struct stat info {};
    ASSERT_EQ(::stat((place_ + name).c_str(), &info), 0) << name;
    EXPECT_EQ(info.st_mode & 0077, 0U) << name;
  }
}

TEST_F(StateTest, ARevokedLocalTokenIsReplaced) {
  const auto state = ServerState::open(place_).value();
  const std::string first = state->local_token(clock_.now()).value();
  const std::string id = state->meta().access().tokens().value().front().id;
  ASSERT_TRUE(state->meta().access().revoke_token(id, clock_.now()).value());
  EXPECT_NE(state->local_token(clock_.now()).value(), first);
}

TEST_F(StateTest, AFullDiskIsToldWithWhatHelpsAServer) {
  const Error full = make_error(ErrorKind::Unavailable, "database is full").with_errno(ENOSPC);
  EXPECT_THAT(with_advice(full).hint(), HasSubstr("--max-size"));
}

TEST_F(StateTest, WhoLooksMakesNothing) {
  EXPECT_FALSE(open_server_admin(place_, IfMissing::Fail));
  struct stat info {};
  EXPECT_NE(::stat(place_.c_str(), &info), 0);
}

TEST_F(StateTest, TokensAreManagedBesideAServerThatRuns) {
  const auto state = ServerState::open(place_).value();
  const auto admin = open_server_admin(place_, IfMissing::Make).value();
  ASSERT_TRUE(admin->make_space("team", ""));
  const MadeToken made =
      admin->make_token({.space = "team", .scopes = 1, .note = "x", .expires = std::nullopt})
          .value();
  EXPECT_TRUE(state->meta().access().find_token(Digest::of(made.secret)).value());
  EXPECT_EQ(admin->spaces().value().size(), 2U);
  EXPECT_TRUE(admin->revoke_token(made.id).value());
  EXPECT_FALSE(admin->revoke_token("nobody").value());
  EXPECT_TRUE(state->meta().access().find_token(Digest::of(made.secret)).value()->revoked);
}

}  // namespace
}  // namespace mybuild::cache_server
