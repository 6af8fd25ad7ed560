// SPDX-License-Identifier: Apache-2.0
#include "builder/space/collector.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/gc_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace mybuild::space {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t kNow = 1'000'000'000;

/// A shelf of a test: what lies on it, what somebody uses, what was done to it.
struct Shown {
  std::vector<Item> items = {};
  std::set<std::string> used = {};
  bool broken = false;
  std::vector<std::string> asked = {};
};

class FakeShelf final : public Shelf {
 public:
  FakeShelf(Place place, bool rooted, Shown& shown, std::function<void()> on_list)
      : place_(place), rooted_(rooted), shown_(shown), on_list_(std::move(on_list)) {}
  Place place() const override { return place_; }
  bool is_rooted() const override { return rooted_; }
  Result<std::vector<Item>> items(const Needed& needed) override {
    on_list_();
    std::vector<Item> items = shown_.items;
    for (Item& item : items) {
      item.place = place_;
      item.needed = needed.trees.contains(item.id);
    }
    return items;
  }
  Status remove(std::span<const Item> items, const OnRemoved& on_removed) override {
    for (const Item& item : items) {
      shown_.asked.push_back(item.id);
      if (shown_.broken) {
        return internal_error("the disk is gone");
      }
      if (!shown_.used.contains(item.id)) {
        on_removed(item);
      }
    }
    return {};
  }

 private:
  const Place place_;
  const bool rooted_;
  Shown& shown_;
  std::function<void()> on_list_;
};

class CollectorTest : public ::testing::Test {
 protected:
  static Item item(const std::string& id, std::uint64_t size, std::int64_t age) {
    return {.place = Place::Tree,
            .type = ItemType::Regular,
            .id = id,
            .size = size,
            .created = kNow - age,
            .last_used = kNow - age};
  }
  Collector collector() {
    CollectorParts parts{.root = root_.path(),
                         .shelves = {},
                         .needed = [this]() -> Result<Needed> {
                           Needed needed;
                           needed.trees = needed_;
                           return needed;
                         },
                         .disk = [this]() -> Result<DiskFacts> { return disk_; },
                         .empty_trash =
                             [this] {
                               ++emptied_;
                               disk_.free += trash_;
                               trash_ = 0;
                               return Status();
                             },
                         .clock = clock_};
    parts.shelves.push_back(
        std::make_unique<FakeShelf>(Place::Tree, true, trees_, [this] { look_at_lock(true); }));
    parts.shelves.push_back(std::make_unique<FakeShelf>(Place::CacheMount, false, mounts_,
                                                        [this] { look_at_lock(false); }));
    return Collector(std::move(parts));
  }
  std::vector<std::string> collect(const std::vector<Rule>& rules) {
    std::vector<std::string> ids;
    const auto collected = collector().collect(
        rules, [&](const Item& item) { ids.push_back(item.id); }, 0s);
    EXPECT_TRUE(collected) << collected.error().message();
    EXPECT_EQ(collected->removed.size(), ids.size());
    return ids;
  }
  void look_at_lock(bool expected) {
    const auto lock =
        FileLock::try_acquire(join_path(root_.path(), "gc.lock"), FileLock::Mode::Shared);
    locked_as_expected_ = locked_as_expected_ && lock && lock->has_value() != expected;
  }
  void age_stamp(std::int64_t seconds) {
    const std::string stamp = join_path(root_.path(), "gc-stamp");
    EXPECT_TRUE(sys::set_times_at(AT_FDCWD, stamp, {.tv_sec = kNow - seconds, .tv_nsec = 0}));
  }

  const TempDir root_ = TempDir::create().value();
  FixedClock clock_{Time(std::chrono::seconds(kNow))};
  DiskFacts disk_{.total = 1'000'000, .free = 900'000};
  std::uint64_t trash_ = 0;
  int emptied_ = 0;
  bool locked_as_expected_ = true;
  std::unordered_set<std::string> needed_;
  Shown trees_{.items = {item("image", 100, 50), item("old", 100, 40'000), item("new", 100, 10)}};
  Shown mounts_{.items = {item("mount", 100, 20'000)}};
};

TEST_F(CollectorTest, WhatGoesIsToldAsItGoes) {
  needed_ = {"image"};
  EXPECT_THAT(collect({Rule{}}), ElementsAre("old", "new", "mount"));
}

TEST_F(CollectorTest, WhatSomebodyUsesStaysAndIsNotCounted) {
  trees_.used = {"old"};
  const auto collected = collector().collect(
      std::vector{Rule{}}, [](const Item&) {}, 0s);
  EXPECT_EQ(collected->bytes, 300U);
  EXPECT_THAT(trees_.asked, ElementsAre("old", "image", "new"));
}

TEST_F(CollectorTest, TheLockIsHeldFromTheMarkOnAndNeverWhileBytesAreCounted) {
  EXPECT_TRUE(write_file(join_path(root_.path(), "gc.lock"), ""));
  collect({Rule{}});
  EXPECT_TRUE(locked_as_expected_);
}

TEST_F(CollectorTest, TwoCollectorsDoNotMeet) {
  const auto other = snapshotter::GcLock::for_collector(root_.path());
  ASSERT_TRUE(other && *other);
  const auto collected = collector().collect(
      std::vector{Rule{}}, [](const Item&) {}, 60ms);
  ASSERT_FALSE(collected);
  EXPECT_EQ(collected.error().kind(), ErrorKind::Unavailable);
  EXPECT_THAT(trees_.asked, IsEmpty());
  EXPECT_TRUE(collector().collect_if_due({})) << "after a build nobody minds";
}

TEST_F(CollectorTest, WhatCannotBeRemovedKeepsNobodyFromTheRest) {
  trees_.broken = true;
  std::vector<std::string> ids;
  const auto collected = collector().collect(
      std::vector{Rule{}}, [&](const Item& item) { ids.push_back(item.id); }, 0s);
  ASSERT_FALSE(collected);
  EXPECT_THAT(collected.error().message(), HasSubstr("the disk is gone"));
  EXPECT_THAT(ids, ElementsAre("mount"));
}

TEST_F(CollectorTest, WhenRootsCannotBeReadNothingGoes) {
  CollectorParts parts{
      .root = root_.path(),
      .shelves = {},
      .needed = []() -> Result<Needed> { return internal_error("too many files"); },
      .disk = [this]() -> Result<DiskFacts> { return disk_; },
      .empty_trash = [] { return Status(); },
      .clock = clock_};
  parts.shelves.push_back(std::make_unique<FakeShelf>(Place::Tree, true, trees_, [] {}));
  EXPECT_FALSE(Collector(std::move(parts))
                   .collect(
                       std::vector{Rule{}}, [](const Item&) {}, 0s));
  EXPECT_THAT(trees_.asked, IsEmpty());
}

TEST_F(CollectorTest, WhatLiesInTheTrashGoesBeforeAnythingOfUse) {
  disk_.free = 100;
  trash_ = 500;
  const Rule rule{.limits = {.min_free = Amount{.bytes = 600}}};
  EXPECT_THAT(collect({rule}), IsEmpty());
  EXPECT_EQ(emptied_, 1);
  const Rule more{.limits = {.min_free = Amount{.bytes = 700}}};
  EXPECT_THAT(collect({more}), ElementsAre("old"));
}

TEST_F(CollectorTest, ByItselfItRunsEveryTenMinutes) {
  GcSettings settings;
  settings.limits = {.max_used = Amount{.bytes = 300}};
  EXPECT_EQ(collector().collect_if_due(settings)->removed.size(), 1U) << "the first time";
  age_stamp(0);
  EXPECT_THAT(collector().collect_if_due(settings)->removed, IsEmpty());
  age_stamp(599);
  EXPECT_THAT(collector().collect_if_due(settings)->removed, IsEmpty());
  age_stamp(600);
  EXPECT_EQ(collector().collect_if_due(settings)->removed.size(), 1U);
  age_stamp(-5000);
  EXPECT_EQ(collector().collect_if_due(settings)->removed.size(), 1U) << "the clock was set back";
}

TEST_F(CollectorTest, OnAFullDiskItRunsAtOnce) {
  GcSettings settings;
  settings.limits = {.min_free = Amount{.bytes = 900'100}};
  EXPECT_EQ(collector().collect_if_due(settings)->removed.size(), 1U);
  age_stamp(0);
  EXPECT_EQ(collector().collect_if_due(settings)->removed.size(), 1U);
  EXPECT_EQ(emptied_, 4) << "and the space is free when it returns";
}

TEST_F(CollectorTest, OffIsOff) {
  EXPECT_THAT(collector().collect_if_due(*parse_gc_settings("off"))->removed, IsEmpty());
  EXPECT_THAT(trees_.asked, IsEmpty());
}

}  // namespace
}  // namespace mybuild::space
