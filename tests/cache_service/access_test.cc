// SPDX-License-Identifier: Apache-2.0
// Who a token makes of a client.
#include "builder/cache_server/access.h"

#include "builder/cache_server/store/access_tables.h"
#include "builder/cache_server/store/sqlite_meta_store.h"
#include "snapshotter/base/base64.h"
#include "snapshotter/base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::cache_server {
namespace {

using testing::ElementsAre;

constexpr std::uint8_t kReadWrite =
    static_cast<std::uint8_t>(Scope::Read) | static_cast<std::uint8_t>(Scope::Write);

class MovingClock final : public Clock {
 public:
  Time now() const override { return time; }
  Time time = Time(std::chrono::hours(24 * 20'000));
};

class AccessTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(make_space(*meta_, "team/main", ""));
    ASSERT_TRUE(make_space(*meta_, "team/pr-12", "team/main"));
    ASSERT_TRUE(make_space(*meta_, "team/pr-13", "team/main"));
  }
  MadeToken make(const std::string& space, std::optional<Time> expires = std::nullopt) {
    return make_token(*meta_,
                      {.space = space, .scopes = kReadWrite, .note = {}, .expires = expires},
                      clock_.now())
        .value();
  }
  Caller who(const std::string& authorization) { return access_.identify(authorization).value(); }

  TempDir dir_ = TempDir::create().value();
  std::unique_ptr<MetaStore> meta_ = open_sqlite_meta_store(dir_.path() + "/db").value();
  MovingClock clock_;
  AccessControl access_{*meta_, clock_, false};
};

TEST_F(AccessTest, ABranchReadsItsParentAndWritesOnlyItself) {
  const Caller branch = who("Bearer " + make("team/pr-12").secret);
  EXPECT_THAT(branch.readable, ElementsAre("team/pr-12", "team/main"));
  EXPECT_TRUE(branch.may_read("team/main"));
  EXPECT_TRUE(branch.may_write("team/pr-12"));
  EXPECT_FALSE(branch.may_write("team/main"));
  EXPECT_FALSE(branch.may_read("team/pr-13"));
  EXPECT_FALSE(branch.may_claim("team/pr-12")) << "a scope that it hasn't got";
  EXPECT_FALSE(branch.may_write(""));
  EXPECT_TRUE(branch.may_read("")) << "what belongs to no namespace";
}

TEST_F(AccessTest, AParentDoesNotReadItsBranches) {
  const Caller main = who("Bearer " + make("team/main").secret);
  EXPECT_THAT(main.readable, ElementsAre("team/main"));
  EXPECT_FALSE(main.may_read("team/pr-12"));
  EXPECT_FALSE(main.may_write("team/pr-12"));
}

TEST_F(AccessTest, ATokenMayComeAsAPassword) {
  const MadeToken token = make("team/main");
  EXPECT_EQ(who("Basic " + base64_encode("anybody:" + token.secret)).token_id, token.id);
  EXPECT_EQ(who("bearer " + token.secret).token_id, token.id) << "schemes have no case";
}

TEST_F(AccessTest, WhatIsNoTokenIsNobody) {
  const std::string secret = make("team/main").secret;
  for (const std::string& text :
       {std::string(), std::string("Bearer"), std::string("Bearer "), "Bearer " + secret + "0",
        "Bearer " + secret.substr(1), "Digest " + secret, std::string("Basic ???"),
        "Basic " + base64_encode(secret), secret}) {
    EXPECT_EQ(who(text).token_id, "") << text;
    EXPECT_FALSE(who(text).may_read("")) << text;
  }
}

TEST_F(AccessTest, ATokenEndsWhenItsTimeIsOverOrItIsRevoked) {
  const MadeToken brief = make("team/main", clock_.now() + std::chrono::hours(1));
  const MadeToken revoked = make("team/main");
  EXPECT_NE(who("Bearer " + brief.secret).token_id, "");
  EXPECT_TRUE(meta_->access().revoke_token(revoked.id, clock_.now()).value());
  EXPECT_EQ(who("Bearer " + revoked.secret).token_id, "");
  clock_.time += std::chrono::hours(1);
  EXPECT_EQ(who("Bearer " + brief.secret).token_id, "");
}

TEST_F(AccessTest, OnlyTheDigestOfATokenIsKept) {
  const MadeToken token = make("team/main");
  for (const char* file : {"/db", "/db-wal"}) {
    EXPECT_THAT(read_file(dir_.path() + file).value_or(""),
                testing::Not(testing::HasSubstr(token.secret)));
  }
}

TEST_F(AccessTest, WhoeverHasNoTokenReadsWhereThatIsAllowed) {
  const AccessControl open(*meta_, clock_, true);
  const Caller nobody = open.identify("").value();
  EXPECT_TRUE(nobody.may_read("team/pr-12"));
  EXPECT_FALSE(nobody.may_write("team/pr-12"));
  EXPECT_TRUE(open.identify("Bearer anonymous").value().may_read("team/pr-12"));
  EXPECT_FALSE(open.identify("Bearer anonymous").value().may_write("team/pr-12"));
  EXPECT_FALSE(who("Bearer anonymous").may_read("team/pr-12"));
  EXPECT_FALSE(open.identify("Bearer wrong").value().may_read("team/main"))
      << "a wrong token is a mistake, and said to be one";
}

TEST_F(AccessTest, TokensAreMadeForNamespacesThatExist) {
  const auto made = make_token(
      *meta_, {.space = "nowhere", .scopes = kReadWrite, .note = {}, .expires = std::nullopt},
      clock_.now());
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind(), ErrorKind::NotFound);
  EXPECT_FALSE(make_space(*meta_, "../etc", ""));
  EXPECT_FALSE(make_space(*meta_, "Team", ""));
}

}  // namespace
}  // namespace mybuild::cache_server
