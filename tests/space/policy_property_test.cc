// SPDX-License-Identifier: Apache-2.0
// What holds of any inventory under any rules.
#include "builder/space/policy.h"
#include "builder/space/settings.h"

#include <gtest/gtest.h>

#include <time.h>

#include <algorithm>
#include <random>
#include <set>

namespace mybuild::space {
namespace {

constexpr std::int64_t kNow = 1'000'000'000;

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  std::uint64_t below(std::uint64_t limit) {
    return std::uniform_int_distribution<std::uint64_t>(0, limit - 1)(engine_);
  }
  bool one_in(std::uint64_t chances) { return below(chances) == 0; }

  std::vector<Item> items(std::size_t count) {
    std::vector<Item> items(count);
    for (std::size_t i = 0; i < count; ++i) {
      Item& item = items[i];
      item.place = static_cast<Place>(below(5));
      item.type = static_cast<ItemType>(below(6));
      item.id = std::to_string(below(1'000'000));
      item.size = one_in(10) ? 0 : below(1'000'000);
      item.created = one_in(20) ? 0 : kNow - static_cast<std::int64_t>(below(10'000'000));
      item.last_used = one_in(20) ? 0 : kNow - static_cast<std::int64_t>(below(10'000'000));
      item.needed = one_in(4);
      item.in_use = one_in(8);
      item.derived = one_in(6);
    }
    return items;
  }
  std::optional<Amount> amount() {
    if (one_in(2)) {
      return std::nullopt;
    }
    return one_in(3) ? Amount{.bytes = 0, .percent = static_cast<unsigned>(below(101))}
                     : Amount{.bytes = below(20'000'000)};
  }
  Rule rule() {
    Rule rule{.filter = {}, .unused_for = {}, .all = one_in(2), .limits = {}};
    if (one_in(3)) {
      rule.filter = Filter::of_types({static_cast<ItemType>(below(6))});
    }
    if (one_in(3)) {
      rule.unused_for = std::chrono::seconds(below(10'000'000));
    }
    rule.limits = {.reserved = amount(), .max_used = amount(), .min_free = amount()};
    return rule;
  }

 private:
  std::mt19937 engine_;
};

TEST(PolicyProperty, WhatIsNeededOrInUseNeverGoesAndNothingGoesTwice) {
  Random random(1);
  for (int round = 0; round < 500; ++round) {
    const std::vector<Item> items = random.items(random.below(60));
    const std::vector<Rule> rules = {random.rule(), random.rule(), random.rule()};
    const DiskFacts disk{.total = 20'000'000, .free = random.below(20'000'000)};
    const std::vector<std::size_t> chosen = choose(items, rules, disk, kNow);
    EXPECT_EQ(std::set<std::size_t>(chosen.begin(), chosen.end()).size(), chosen.size());
    const bool all =
        std::any_of(rules.begin(), rules.end(), [](const Rule& rule) { return rule.all; });
    for (const std::size_t i : chosen) {
      EXPECT_FALSE(items[i].needed || items[i].in_use);
      EXPECT_TRUE(all || !items[i].derived);
    }
  }
}

/// After one rule either its limits hold or nothing is left that it could take; and without its
/// last victim they would not hold.
TEST(PolicyProperty, ARuleKeepsWithinItsLimitsAndTakesNoMoreThanThat) {
  Random random(2);
  for (int round = 0; round < 500; ++round) {
    const std::vector<Item> items = random.items(random.below(60));
    const std::uint64_t most = random.below(20'000'000);
    const Rule rule{.all = true, .limits = {.max_used = Amount{.bytes = most}}};
    const std::vector<std::size_t> chosen = choose(items, {{rule}}, {}, kNow);
    std::uint64_t used = 0;
    std::size_t movable = 0;
    for (const Item& item : items) {
      used += item.needed ? 0 : item.size;
      movable += item.reclaimable() ? 1 : 0;
    }
    for (const std::size_t i : chosen) {
      EXPECT_GT(used, most) << "it went although the limit held";
      used -= items[i].size;
    }
    EXPECT_TRUE(used <= most || chosen.size() == movable);
  }
}

TEST(PolicyProperty, TheOrderIsThatOfLastUse) {
  Random random(3);
  const std::vector<Item> items = random.items(2000);
  std::int64_t before = 0;
  for (const std::size_t i : choose(items, {{Rule{.all = true}}}, {}, kNow)) {
    const std::int64_t minute = items[i].last_seen() / 60;
    EXPECT_GE(minute, before);
    before = minute;
  }
}

/// Of this thread alone: the machine may be busy.
double cpu_seconds() {
  struct timespec now {};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

double time_to_choose(std::size_t count) {
  Random random(4);
  const std::vector<Item> items = random.items(count);
  GcSettings settings;
  settings.limits.max_used = Amount{.bytes = 1'000'000'000};
  const double start = cpu_seconds();
  const std::vector<std::size_t> chosen =
      choose(items, settings.rules(), {.total = 1ULL << 40, .free = 1ULL << 39}, kNow);
  EXPECT_GT(chosen.size(), count / 10);
  return cpu_seconds() - start;
}

TEST(PolicyProperty, TheTimeIsLinear) {
  const double small = time_to_choose(10'000);
  const double large = time_to_choose(100'000);
  RecordProperty("milliseconds", static_cast<int>(large * 1000));
  EXPECT_LT(large, 30 * small + 0.05) << "ten times the items";
}

}  // namespace
}  // namespace mybuild::space
