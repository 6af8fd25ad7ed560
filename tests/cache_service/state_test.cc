// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/service/state.h"

#include "builder/cache_server/store/access_tables.h"

#include <gtest/gtest.h>

#include <sys/stat.h>

namespace mybuild::cache_server {
namespace {

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
  ASSERT_TRUE(make_dirs(place_, 0700));
  ASSERT_TRUE(write_file(place_ + "/local-token", "mbt_old"));
  EXPECT_NE(ServerState::open(place_).value()->local_token(clock_.now()).value(), "mbt_old");
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
