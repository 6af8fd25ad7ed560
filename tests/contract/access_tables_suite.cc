// SPDX-License-Identifier: Apache-2.0
#include "tests/contract/meta_store_suite.h"

namespace mybuild::cache_server {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(AccessTablesContract);

namespace {

SpaceRow space(const std::string& name, const std::string& parent = "") {
  return {.name = name, .parent = parent, .seed = std::string(31, '\0') + name.back()};
}

TokenRow token(const std::string& id, Time created) {
  return {.id = id,
          .secret = Digest::of("secret of " + id),
          .space = "team/main",
          .scopes = 3,
          .note = "for " + id,
          .created = created,
          .expires = {},
          .revoked = {}};
}

std::vector<std::string> names(const Result<std::vector<SpaceRow>>& rows) {
  std::vector<std::string> names;
  for (const SpaceRow& row : rows.value()) {
    names.push_back(row.name);
  }
  return names;
}

TEST_P(AccessTablesContract, ANamespaceIsFoundWithItsParentAndKey) {
  ASSERT_TRUE(store_->access().add_space(space("team/main")));
  ASSERT_TRUE(store_->access().add_space(space("team/pr-12", "team/main")));
  reopen();
  const auto found = store_->access().find_space("team/pr-12").value();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->parent, "team/main");
  EXPECT_EQ(found->seed, space("team/pr-12").seed) << "zero bytes included";
  EXPECT_FALSE(store_->access().find_space("team")->has_value());
  EXPECT_EQ(names(store_->access().spaces()),
            (std::vector<std::string>{"team/main", "team/pr-12"}));
}

TEST_P(AccessTablesContract, TheSameNamespaceAgainKeepsItsKey) {
  ASSERT_TRUE(store_->access().add_space(space("main")));
  SpaceRow again = space("main");
  again.seed = std::string(32, 'x');
  EXPECT_TRUE(store_->access().add_space(again));
  EXPECT_EQ((*store_->access().find_space("main"))->seed, space("main").seed);
}

TEST_P(AccessTablesContract, ANamespaceKeepsItsParent) {
  ASSERT_TRUE(store_->access().add_space(space("a")));
  ASSERT_TRUE(store_->access().add_space(space("b", "a")));
  EXPECT_EQ(store_->access().add_space(space("b")).error().kind(), ErrorKind::AlreadyExists);
  EXPECT_EQ(store_->access().add_space(space("a", "b")).error().kind(), ErrorKind::AlreadyExists)
      << "which would be a circle";
}

TEST_P(AccessTablesContract, AParentComesFirst) {
  EXPECT_EQ(store_->access().add_space(space("child", "nobody")).error().kind(),
            ErrorKind::NotFound);
  EXPECT_EQ(store_->access().add_space(space("self", "self")).error().kind(), ErrorKind::NotFound);
}

TEST_P(AccessTablesContract, ALineageGoesFromTheNearestToTheFarthest) {
  ASSERT_TRUE(store_->access().add_space(space("org")));
  ASSERT_TRUE(store_->access().add_space(space("org/main", "org")));
  ASSERT_TRUE(store_->access().add_space(space("elsewhere", "org/main")));
  EXPECT_EQ(names(store_->access().lineage("elsewhere")),
            (std::vector<std::string>{"elsewhere", "org/main", "org"}));
  EXPECT_TRUE(store_->access().lineage("nobody")->empty());
  EXPECT_TRUE(store_->access().lineage("")->empty());
}

TEST_P(AccessTablesContract, EightAncestorsAreTheLimit) {
  ASSERT_TRUE(store_->access().add_space(space("s0")));
  for (int i = 1; i <= 8; ++i) {
    const std::string above = "s" + std::to_string(i - 1);
    ASSERT_TRUE(store_->access().add_space(space("s" + std::to_string(i), above))) << i;
  }
  EXPECT_EQ(store_->access().lineage("s8")->size(), 9U);
  EXPECT_EQ(store_->access().add_space(space("s9", "s8")).error().kind(),
            ErrorKind::InvalidArgument);
}

TEST_P(AccessTablesContract, ARepositoryBelongsToTheLongestNamespaceAboveIt) {
  ASSERT_TRUE(store_->access().add_space(space("team")));
  ASSERT_TRUE(store_->access().add_space(space("team/main")));
  const auto space_of = [&](const std::string& repository) {
    return store_->access().space_of(repository).value();
  };
  EXPECT_EQ(space_of("team/main/app/web"), "team/main");
  EXPECT_EQ(space_of("team/main"), "team/main");
  EXPECT_EQ(space_of("team/mainly"), "team") << "whole components only";
  EXPECT_EQ(space_of("teamwork/main"), "");
  EXPECT_EQ(space_of("busybox"), "");
}

TEST_P(AccessTablesContract, ATokenIsFoundByItsSecret) {
  TokenRow row = token("t1", now_);
  row.expires = now_ + std::chrono::hours(1);
  ASSERT_TRUE(store_->access().add_token(row));
  reopen();
  const auto found = store_->access().find_token(row.secret).value();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, "t1");
  EXPECT_EQ(found->secret, row.secret);
  EXPECT_EQ(found->space, "team/main");
  EXPECT_EQ(found->scopes, 3);
  EXPECT_EQ(found->note, "for t1");
  EXPECT_EQ(found->created, now_);
  EXPECT_EQ(found->expires, row.expires);
  EXPECT_FALSE(found->revoked);
  EXPECT_FALSE(store_->access().find_token(Digest::of("guess"))->has_value());
}

TEST_P(AccessTablesContract, NoTwoTokensShareAnIdOrASecret) {
  ASSERT_TRUE(store_->access().add_token(token("t1", now_)));
  EXPECT_EQ(store_->access().add_token(token("t1", now_)).error().kind(), ErrorKind::AlreadyExists);
  TokenRow thief = token("t2", now_);
  thief.secret = token("t1", now_).secret;
  EXPECT_EQ(store_->access().add_token(thief).error().kind(), ErrorKind::AlreadyExists);
  EXPECT_EQ(store_->access().tokens()->size(), 1U);
}

TEST_P(AccessTablesContract, TokensAreListedByAge) {
  ASSERT_TRUE(store_->access().add_token(token("young", now_ + std::chrono::hours(1))));
  ASSERT_TRUE(store_->access().add_token(token("old", now_)));
  const auto rows = store_->access().tokens().value();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].id, "old");
  EXPECT_EQ(rows[1].id, "young");
}

TEST_P(AccessTablesContract, ARevokedTokenStaysRevokedFromTheFirstTimeOn) {
  ASSERT_TRUE(store_->access().add_token(token("t1", now_)));
  EXPECT_TRUE(store_->access().revoke_token("t1", now_).value());
  EXPECT_TRUE(store_->access().revoke_token("t1", now_ + std::chrono::hours(1)).value());
  EXPECT_FALSE(store_->access().revoke_token("t2", now_).value());
  reopen();
  EXPECT_EQ((*store_->access().find_token(token("t1", now_).secret))->revoked, now_);
}

TEST_P(AccessTablesContract, AnotherProcessAddsAndRevokesTokensMeanwhile) {
  const TokenRow row = token("t1", now_);
  EXPECT_FALSE(store_->access().find_token(row.secret)->has_value());
  const auto other = open_();
  ASSERT_TRUE(other->access().add_token(row));
  EXPECT_TRUE(store_->access().find_token(row.secret)->has_value());
  ASSERT_TRUE(other->access().revoke_token("t1", now_).value());
  EXPECT_EQ((*store_->access().find_token(row.secret))->revoked, now_);
  EXPECT_TRUE(store_->access().add_token(token("t2", now_))) << "the server writes beside it";
}

TEST_P(AccessTablesContract, NamesFromOutsideAreDataAndNothingElse) {
  const std::string name = "x'; DROP TABLE token; --";
  ASSERT_TRUE(store_->access().add_space(space(name)));
  EXPECT_TRUE(store_->access().find_space(name)->has_value());
  EXPECT_TRUE(store_->access().tokens()->empty());
}

}  // namespace
}  // namespace mybuild::cache_server
