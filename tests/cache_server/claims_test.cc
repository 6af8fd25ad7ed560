// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/records/claims.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace mybuild::cache_server {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Claims : public ::testing::Test {
 protected:
  ClaimTable::Decision claim(const std::string& content,
                             std::optional<milliseconds> cost = std::nullopt,
                             const std::string& token = "t1", const std::string& space = "main") {
    return table_
        .claim({.space = space,
                .content = Digest::of(content),
                .cost = cost,
                .token = token,
                .owner = "owner of " + token})
        .value();
  }
  bool is_granted(const ClaimTable::Decision& decision) { return !decision.claim.empty(); }
  bool is_free(const std::string& content, const std::string& space = "main") {
    return !table_.unclaimed(space, {Digest::of(content)}).empty();
  }
  void keep_up(const ClaimTable::Decision& decision) {
    EXPECT_THAT(table_.keep_up("main", "t1", {decision.claim}), ElementsAre(decision.claim));
  }

  ClaimTable::TimePoint now_{};
  ClaimTable table_{[this] { return now_; }};
};

TEST_F(Claims, TheFirstRunsItAndTheOthersWait) {
  const auto first = claim("a");
  EXPECT_TRUE(is_granted(first));
  EXPECT_EQ(first.time, kClaimLife);
  const auto second = claim("a", std::nullopt, "t2");
  EXPECT_FALSE(is_granted(second));
  EXPECT_EQ(second.owner, "owner of t1");
  EXPECT_EQ(second.time, seconds(60)) << "nobody knows how long it takes";
  EXPECT_TRUE(is_granted(claim("b", std::nullopt, "t2")));
}

TEST_F(Claims, AWaitIsBoundedByWhatItTookBefore) {
  const auto first = claim("a", seconds(20));
  now_ += seconds(5);
  keep_up(first);
  EXPECT_EQ(claim("a").time, seconds(20 + 5 - 5));
  EXPECT_TRUE(is_granted(claim("b", minutes(600))));
  EXPECT_EQ(claim("b").time, minutes(30));
  EXPECT_TRUE(is_granted(claim("c", milliseconds(0))));
  EXPECT_EQ(claim("c").time, seconds(5));
}

TEST_F(Claims, OneThatTakesLongerThanItMayGoesToTheNext) {
  const auto first = claim("a", seconds(1));
  now_ += seconds(5);
  keep_up(first);
  now_ += seconds(2);
  keep_up(first);
  const auto second = claim("a", seconds(1), "t2");
  EXPECT_TRUE(is_granted(second));
  EXPECT_THAT(table_.keep_up("main", "t1", {first.claim}), IsEmpty());
  EXPECT_EQ(claim("a").owner, "owner of t2");
}

TEST_F(Claims, ABindsOnlyItsNamespace) {
  EXPECT_TRUE(is_granted(claim("a")));
  EXPECT_TRUE(is_granted(claim("a", std::nullopt, "t1", "pr")));
}

TEST_F(Claims, WithoutHeartbeatsItEnds) {
  const auto first = claim("a");
  now_ += seconds(5);
  EXPECT_FALSE(is_free("a"));
  keep_up(first);
  now_ += seconds(5);
  EXPECT_FALSE(is_free("a"));
  now_ += seconds(1);
  EXPECT_TRUE(is_free("a"));
  EXPECT_EQ(table_.size(), 0U);
  EXPECT_THAT(table_.keep_up("main", "t1", {first.claim}), IsEmpty());
  EXPECT_TRUE(is_granted(claim("a", std::nullopt, "t2")));
}

TEST_F(Claims, APublishOrAReleaseEndsIt) {
  claim("a");
  table_.end("pr", Digest::of("a"));
  EXPECT_FALSE(is_free("a"));
  table_.end("main", Digest::of("a"));
  EXPECT_TRUE(is_free("a"));
  const auto second = claim("b");
  EXPECT_THAT(table_.release("main", "t1", {second.claim, "none"}), ElementsAre(second.claim));
  EXPECT_TRUE(is_free("b"));
}

TEST_F(Claims, NobodyElseCanTouchIt) {
  const auto first = claim("a");
  EXPECT_THAT(table_.release("main", "t2", {first.claim}), IsEmpty());
  EXPECT_THAT(table_.release("pr", "t1", {first.claim}), IsEmpty());
  EXPECT_THAT(table_.keep_up("main", "t2", {first.claim}), IsEmpty());
  EXPECT_FALSE(is_free("a"));
}

TEST_F(Claims, IdsAreLongAndNeverTheSame) {
  const auto first = claim("a");
  const auto second = claim("b");
  EXPECT_EQ(first.claim.size(), 32U);
  EXPECT_NE(first.claim, second.claim);
}

TEST_F(Claims, ATokenHasOnlySoMany) {
  for (std::size_t i = 0; i < kMaxClaimsOfToken; ++i) {
    ASSERT_TRUE(is_granted(claim(std::to_string(i))));
  }
  const auto refused = claim("more");
  EXPECT_FALSE(is_granted(refused));
  EXPECT_EQ(refused.time, milliseconds(0)) << "nobody waits for nothing";
  EXPECT_TRUE(is_granted(claim("more", std::nullopt, "t2")));
  table_.end("main", Digest::of("7"));
  EXPECT_TRUE(is_granted(claim("another")));
}

TEST_F(Claims, WhoWatchesIsWokenByAnEnd) {
  const auto first = claim("a");
  claim("b");
  int woken = 0;
  {
    const auto watch =
        table_.watch("main", {Digest::of("a"), Digest::of("a"), Digest::of("b")}, [&] { ++woken; });
    EXPECT_TRUE(watch.is_on());
    claim("c");
    table_.end("main", Digest::of("c"));
    EXPECT_EQ(woken, 0);
    table_.end("main", Digest::of("b"));
    EXPECT_EQ(woken, 1);
    table_.release("main", "t1", {first.claim});
    EXPECT_EQ(woken, 2);
    claim("a");
    woken = 0;
    now_ += kClaimLife;
    EXPECT_EQ(table_.size(), 0U);
    EXPECT_EQ(woken, 1) << "by whoever looks after it has expired";
  }
  claim("a");
  woken = 0;
  table_.end("main", Digest::of("a"));
  EXPECT_EQ(woken, 0);
}

TEST_F(Claims, OnlySoManyStepsAreWatched) {
  std::vector<Digest> many;
  for (std::size_t i = 0; i < 50'000; ++i) {
    many.push_back(Digest::of(std::to_string(i)));
  }
  std::vector<ClaimTable::Watch> watches;
  for (std::size_t i = 0; i < kMaxWatched / many.size(); ++i) {
    watches.push_back(table_.watch("main", many, [] {}));
    ASSERT_TRUE(watches.back().is_on());
  }
  EXPECT_FALSE(table_.watch("main", many, [] {}).is_on());
  watches.pop_back();
  EXPECT_TRUE(table_.watch("main", many, [] {}).is_on());
}

TEST_F(Claims, OfManyAtOnceOneGetsEachStep) {
  std::atomic<int> granted{0};
  std::atomic<int> woken{0};
  std::vector<std::thread> people;
  for (int person = 0; person < 4; ++person) {
    people.emplace_back([&, token = std::to_string(person)] {
      for (int step = 0; step < 100; ++step) {
        const std::string content = std::to_string(step);
        const auto watch = table_.watch("main", {Digest::of(content)}, [&] { ++woken; });
        if (is_granted(claim(content, std::nullopt, token))) {
          ++granted;
        }
      }
    });
  }
  for (std::thread& person : people) {
    person.join();
  }
  EXPECT_EQ(granted, 100);
  EXPECT_EQ(woken, 0);
}

TEST_F(Claims, TheNextExpiryIsThatOfTheFirst) {
  EXPECT_EQ(table_.next_expiry("main", {Digest::of("a")}), std::nullopt);
  claim("a");
  now_ += seconds(3);
  claim("b");
  EXPECT_EQ(table_.next_expiry("main", {Digest::of("b"), Digest::of("a"), Digest::of("c")}),
            now_ + kClaimLife - seconds(3));
}

}  // namespace
}  // namespace mybuild::cache_server
