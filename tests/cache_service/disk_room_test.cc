// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/service/disk_room.h"

#include <gtest/gtest.h>

namespace mybuild::cache_server {
namespace {

DiskRoom room(std::optional<std::uint64_t> max_size, std::uint64_t free, std::uint64_t kept) {
  return DiskRoom(
      max_size, [free] { return Result(DiskSpace{.total = 1000, .free = free}); },
      [kept] { return kept; });
}

TEST(DiskRoom, WithoutASizeATenthOfTheDiskStaysFree) {
  EXPECT_EQ(room(std::nullopt, 500, 300).limit(), 700U);
  EXPECT_EQ(room(std::nullopt, 50, 300).limit(), 250U) << "others filled the disk";
  EXPECT_EQ(room(std::nullopt, 500, 300).left(), 450U);
  EXPECT_EQ(room(std::nullopt, 20, 300).left(), 0U);
}

TEST(DiskRoom, ASizeCountsWhereTheDiskHasIt) {
  EXPECT_EQ(room(400, 500, 300).limit(), 400U);
  EXPECT_EQ(room(400, 500, 300).left(), 100U);
  EXPECT_EQ(room(400, 500, 450).left(), 0U);
  EXPECT_EQ(room(900, 500, 300).limit(), 750U) << "more than the disk has";
}

TEST(DiskRoom, RecordsMayHaveATenthOfItButNoneHasTooLittleForThem) {
  constexpr std::uint64_t kGib = std::uint64_t{1} << 30;
  const DiskRoom large(
      100 * kGib, [] { return Result(DiskSpace{.total = 1000 * kGib, .free = 500 * kGib}); },
      [] { return 0; });
  EXPECT_EQ(large.record_limit(), 10 * kGib);
  EXPECT_EQ(room(400, 500, 300).record_limit(), kGib / 4);
}

TEST(DiskRoom, ADiskThatCannotBeAskedTakesNothing) {
  const DiskRoom unknown(
      std::nullopt, [] { return Result<DiskSpace>(os_error(5, "statvfs")); }, [] { return 0; });
  EXPECT_EQ(unknown.left(), 0U);
  EXPECT_TRUE(disk_space("/").value().total > 0);
  EXPECT_FALSE(disk_space("/nowhere/at/all"));
}

}  // namespace
}  // namespace mybuild::cache_server
