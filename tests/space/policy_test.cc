// SPDX-License-Identifier: Apache-2.0
#include "builder/space/policy.h"

#include <gtest/gtest.h>

namespace mybuild::space {
namespace {

constexpr std::int64_t kNow = 1'000'000'000;
constexpr std::int64_t kDay = 86'400;
constexpr DiskFacts kRoomy{.total = 1000, .free = 1000};

/// 100 bytes, made and used so long ago.
Item item(const std::string& id, std::int64_t age, ItemType type = ItemType::Regular) {
  return {.place = Place::Tree,
          .type = type,
          .id = id,
          .size = 100,
          .created = kNow - age,
          .last_used = kNow - age};
}
Item needed(Item item) {
  item.needed = true;
  return item;
}
Item in_use(Item item) {
  item.in_use = true;
  return item;
}
Item derived(Item item) {
  item.derived = true;
  return item;
}

/// Ids of what goes, in order.
std::string gone(const std::vector<Item>& items, const std::vector<Rule>& rules,
                 const DiskFacts& disk = kRoomy) {
  std::string ids;
  for (const std::size_t i : choose(items, rules, disk, kNow)) {
    ids += (ids.empty() ? "" : " ") + items[i].id;
  }
  return ids;
}

Rule keep_at_most(std::uint64_t bytes) {
  return {.limits = {.max_used = Amount{.bytes = bytes}}};
}
Filter filter(std::string_view text) {
  Filter made;
  EXPECT_TRUE(made.add(text, kNow)) << text;
  return made;
}

const std::vector<Item> kFour = {item("a", 4 * kDay), item("d", 1 * kDay), item("b", 3 * kDay),
                                 item("c", 2 * kDay)};

TEST(Policy, WithoutALimitEverythingThatMatchesGoes) {
  EXPECT_EQ(gone(kFour, {Rule{}}), "a b c d");
  EXPECT_EQ(gone(kFour, {}), "");
  EXPECT_EQ(gone({}, {Rule{}}), "");
}

TEST(Policy, WhatIsLeastRecentlyUsedGoesFirst) {
  EXPECT_EQ(gone(kFour, {keep_at_most(250)}), "a b");
  EXPECT_EQ(gone(kFour, {keep_at_most(400)}), "");
  EXPECT_EQ(gone(kFour, {keep_at_most(0)}), "a b c d");
}

TEST(Policy, ChildrenGoBeforeTheParentsThatWereUsedWithThem) {
  // kNow is in the middle of a minute.
  std::vector<Item> stack = {item("parent", 10), item("child", 10), item("grandchild", 10)};
  stack[0].created -= 300;
  stack[1].created -= 200;
  stack[2].created -= 100;
  stack[0].last_used += 2;
  EXPECT_EQ(gone(stack, {Rule{}}), "grandchild child parent");
  EXPECT_EQ(gone(stack, {keep_at_most(150)}), "grandchild child");
}

TEST(Policy, WhatAnImageOrAContainerNeedsNeverGoes) {
  const std::vector<Item> items = {needed(item("image", 99 * kDay)), item("cache", 1)};
  EXPECT_EQ(gone(items, {Rule{.all = true}}), "cache");
  EXPECT_EQ(gone(items, {keep_at_most(100)}), "") << "it takes nothing of what the cache may have";
}

TEST(Policy, WhatIsInUseCountsButDoesNotGo) {
  const std::vector<Item> items = {in_use(item("busy", 99 * kDay)), item("idle", 1)};
  EXPECT_EQ(gone(items, {keep_at_most(150)}), "idle");
  EXPECT_EQ(gone(items, {keep_at_most(200)}), "");
}

TEST(Policy, WhatIsDerivedGoesOnlyWithAll) {
  const std::vector<Item> items = {derived(item("blob", 2 * kDay)), item("layer", 1)};
  EXPECT_EQ(gone(items, {Rule{}}), "layer");
  EXPECT_EQ(gone(items, {Rule{.all = true}}), "blob layer");
}

TEST(Policy, UntilKeepsWhatWasUsedSince) {
  EXPECT_EQ(gone(kFour, {Rule{.unused_for = std::chrono::seconds(3 * kDay)}}), "a b");
  std::vector<Item> used = kFour;
  used[0].last_used = kNow;
  EXPECT_EQ(gone(used, {Rule{.unused_for = std::chrono::seconds(3 * kDay)}}), "b");
}

TEST(Policy, SoMuchOfTheDiskIsToBeFree) {
  const Rule rule{.limits = {.min_free = Amount{.bytes = 500}}};
  EXPECT_EQ(gone(kFour, {rule}, {.total = 1000, .free = 500}), "");
  EXPECT_EQ(gone(kFour, {rule}, {.total = 1000, .free = 350}), "a b");
  EXPECT_EQ(gone(kFour, {rule}, {.total = 1000, .free = 0}), "a b c d");
}

TEST(Policy, WhatIsReservedStaysWhateverElseIsAsked) {
  const Limits limits{.reserved = Amount{.bytes = 200},
                      .max_used = Amount{.bytes = 50},
                      .min_free = Amount{.bytes = 900}};
  EXPECT_EQ(gone(kFour, {Rule{.limits = limits}}, {.total = 1000, .free = 0}), "a b");
  EXPECT_EQ(gone(kFour, {Rule{.limits = {.reserved = Amount{.bytes = 300}}}}), "a")
      << "alone it says what is kept, as docker's --keep-storage";
}

TEST(Policy, APercentageIsOfTheDiskAndMayHaveAMost) {
  EXPECT_EQ((Amount{.bytes = 0, .percent = 20}.of(1000)), 200U);
  EXPECT_EQ((Amount{.bytes = 150, .percent = 20}.of(1000)), 150U);
  EXPECT_EQ((Amount{.bytes = 150, .percent = 10}.of(1000)), 100U);
  EXPECT_EQ(gone(kFour, {Rule{.limits = {.max_used = Amount{.bytes = 0, .percent = 20}}}}), "a b");
}

TEST(Policy, EachRuleSeesWhatTheOnesBeforeLeft) {
  std::vector<Item> items = kFour;
  items[3].type = ItemType::CacheMount;  // c
  const Rule mounts{.filter = Filter::of_types({ItemType::CacheMount}), .limits = {}};
  EXPECT_EQ(gone(items, {mounts, keep_at_most(200)}), "c a");
  EXPECT_EQ(gone(items, {mounts, Rule{.limits = {.min_free = Amount{.bytes = 600}}}},
                 {.total = 1000, .free = 500}),
            "c")
      << "what went is free";
}

TEST(Policy, ARuleWithAFilterKeepsThatKindWithinItsLimit) {
  std::vector<Item> items = kFour;
  items[0].type = items[3].type = ItemType::CacheMount;  // a, c
  Rule rule = keep_at_most(100);
  rule.filter = filter("type=exec.cachemount");
  EXPECT_EQ(gone(items, {rule}), "a");
}

TEST(Policy, IdAndTypeChoose) {
  EXPECT_EQ(gone(kFour, {Rule{.filter = filter("id=b")}}), "b");
  EXPECT_EQ(gone(kFour, {Rule{.filter = filter("type=internal")}}), "");
  EXPECT_EQ(gone(kFour, {Rule{.filter = filter("id=b,type=internal")}}), "");
}

}  // namespace
}  // namespace mybuild::space
