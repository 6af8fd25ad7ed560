// SPDX-License-Identifier: Apache-2.0
#include "builder/space/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::space {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kGiB = 1ULL << 30;
constexpr std::int64_t kNow = 1'000'000'000;
constexpr std::int64_t kDay = 86'400;

TEST(Settings, AmountsHaveUnitsOrPercents) {
  const std::pair<const char*, std::uint64_t> kCases[] = {
      {"0", 0},
      {"1024", 1024},
      {"512m", 512ULL << 20},
      {"10GB", 10 * kGiB},
      {"1.5GiB", 3 * kGiB / 2},
      {"7b", 7},
      {"2 kb", 2048},
  };
  for (const auto& [text, expected] : kCases) {
    const auto amount = parse_amount(text);
    ASSERT_TRUE(amount) << text;
    EXPECT_EQ(amount->of(1000), expected) << text;
  }
  EXPECT_EQ(parse_amount("25%")->of(1000), 250U);
  for (const char* text : {"", "x", "-1", "1x", "101%", "1.5%", "1bb", "9999999p", "nan", "1e3"}) {
    const auto amount = parse_amount(text);
    ASSERT_FALSE(amount) << text;
    EXPECT_THAT(amount.error().hint(), HasSubstr("10GB")) << text;
  }
}

TEST(Settings, TheDefaultIsAShareOfTheDiskWithAMost) {
  const Limits limits = parse_gc_settings("")->limits;
  EXPECT_EQ(limits.reserved->of(50 * kGiB) / kGiB, 5U);
  EXPECT_EQ(limits.reserved->of(1000 * kGiB), 10 * kGiB);
  EXPECT_EQ(limits.max_used->of(1000 * kGiB), 100 * kGiB);
  EXPECT_EQ(limits.min_free->of(100 * kGiB) / kGiB, 20U);
  EXPECT_EQ(limits.min_free->of(1000 * kGiB), 50 * kGiB);
}

TEST(Settings, EachCanBeSaid) {
  EXPECT_TRUE(parse_gc_settings("off")->off);
  const auto settings =
      parse_gc_settings("reserved-space=1g,max-used-space=2g,min-free-space=10%,until=7d,every=0s");
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->limits.reserved->bytes, kGiB);
  EXPECT_EQ(settings->limits.max_used->bytes, 2 * kGiB);
  EXPECT_EQ(settings->limits.min_free->percent, 10U);
  EXPECT_EQ(settings->unused_for, std::chrono::hours(7 * 24));
  EXPECT_EQ(settings->every.count(), 0);
  for (const char* text : {"on", "max-used=1g", "until=x", "max-used-space", "a=b,off"}) {
    EXPECT_FALSE(parse_gc_settings(text)) << text;
  }
}

Item item(const std::string& id, ItemType type, std::uint64_t size, std::int64_t age) {
  return {.place = Place::Tree,
          .type = type,
          .id = id,
          .size = size,
          .created = kNow - age,
          .last_used = kNow - age};
}
std::string gone(const std::vector<Item>& items, const DiskFacts& disk) {
  std::string ids;
  for (const std::size_t i : choose(items, GcSettings().rules(), disk, kNow)) {
    ids += (ids.empty() ? "" : " ") + items[i].id;
  }
  return ids;
}

TEST(Settings, TheDefaultPolicyTakesWhatIsEasilyMadeAgainFirstAndKeepsTheRestWhileThereIsRoom) {
  const DiskFacts roomy{.total = 1000 * kGiB, .free = 500 * kGiB};
  std::vector<Item> items = {item("mount", ItemType::CacheMount, kGiB, 3 * kDay),
                             item("fresh", ItemType::CacheMount, kGiB, kDay),
                             item("layer", ItemType::Regular, kGiB, 50 * kDay),
                             item("old", ItemType::Regular, 1, 61 * kDay)};
  EXPECT_EQ(gone(items, roomy), "mount old");
  items[0].size = items[1].size = kGiB / 5;
  EXPECT_EQ(gone(items, roomy), "old") << "512 MiB of them are nobody's problem";
}

TEST(Settings, TheDefaultPolicyGivesWayWhenTheDiskIsFullButKeepsItsReserve) {
  const std::vector<Item> items = {item("a", ItemType::Regular, 8 * kGiB, 4 * kDay),
                                   item("b", ItemType::Regular, 8 * kGiB, 3 * kDay),
                                   item("c", ItemType::Regular, 8 * kGiB, 2 * kDay)};
  EXPECT_EQ(gone(items, {.total = 1000 * kGiB, .free = 48 * kGiB}), "a");
  EXPECT_EQ(gone(items, {.total = 1000 * kGiB, .free = 0}), "a b");
}

TEST(Settings, TheDefaultPolicyTakesDerivedThingsLast) {
  std::vector<Item> items = {item("blob", ItemType::Internal, 60 * kGiB, 9 * kDay),
                             item("layer", ItemType::Regular, 60 * kGiB, kDay)};
  items[0].derived = true;
  EXPECT_EQ(gone(items, {.total = 1000 * kGiB, .free = 500 * kGiB}), "blob");
  items[1].size = 120 * kGiB;
  EXPECT_EQ(gone(items, {.total = 1000 * kGiB, .free = 500 * kGiB}), "layer");
}

}  // namespace
}  // namespace mybuild::space
