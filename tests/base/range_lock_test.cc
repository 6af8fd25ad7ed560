// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/range_lock.h"

#include "snapshotter/base/cancel.h"
#include "snapshotter/base/file.h"

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <future>

namespace mybuild {
namespace {

using namespace std::chrono_literals;
using Mode = RangeLocks::Mode;

class RangeLock : public ::testing::Test {
 protected:
  RangeLocks open() const { return RangeLocks::open(directory_.path() + "/locks").value(); }

  const TempDir directory_ = TempDir::create().value();
};

TEST_F(RangeLock, NamesAreIndependentOfEachOther) {
  RangeLocks one = open();
  RangeLocks other = open();
  EXPECT_TRUE(one.try_lock("a", Mode::Exclusive).value());
  EXPECT_FALSE(other.try_lock("a", Mode::Shared).value());
  EXPECT_TRUE(other.try_lock("b", Mode::Exclusive).value());
  ASSERT_TRUE(one.unlock("a"));
  EXPECT_TRUE(other.try_lock("a", Mode::Exclusive).value());
}

TEST_F(RangeLock, SharedLocksExcludeAnExclusiveOneOnly) {
  RangeLocks one = open();
  RangeLocks other = open();
  EXPECT_TRUE(one.try_lock("a", Mode::Shared).value());
  EXPECT_TRUE(other.try_lock("a", Mode::Shared).value());
  EXPECT_FALSE(other.try_lock("a", Mode::Exclusive).value());
}

TEST_F(RangeLock, LocksGoWithTheObject) {
  RangeLocks one = open();
  {
    RangeLocks other = open();
    ASSERT_TRUE(other.try_lock("a", Mode::Exclusive).value());
  }
  EXPECT_TRUE(one.try_lock("a", Mode::Exclusive).value());
}

TEST_F(RangeLock, TheLockOfAKilledProcessIsFree) {
  const pid_t child = ::fork();
  if (child == 0) {
    RangeLocks own = open();
    (void)own.try_lock("a", Mode::Exclusive);
    ::raise(SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(open().try_lock("a", Mode::Exclusive).value());
}

TEST_F(RangeLock, AWaiterGetsTheLockWhenItIsFree) {
  RangeLocks one = open();
  ASSERT_TRUE(one.try_lock("a", Mode::Exclusive).value());
  Cancel cancel;
  std::future<Status> waiter = std::async(std::launch::async, [&] {
    RangeLocks other = open();
    return other.lock("a", Mode::Exclusive, cancel);
  });
  EXPECT_EQ(waiter.wait_for(30ms), std::future_status::timeout);
  ASSERT_TRUE(one.unlock("a"));
  EXPECT_TRUE(waiter.get());
}

TEST_F(RangeLock, AWaiterCanBeStopped) {
  RangeLocks one = open();
  ASSERT_TRUE(one.try_lock("a", Mode::Exclusive).value());
  Cancel cancel;
  std::future<Status> waiter = std::async(std::launch::async, [&] {
    RangeLocks other = open();
    return other.lock("a", Mode::Shared, cancel);
  });
  EXPECT_EQ(waiter.wait_for(30ms), std::future_status::timeout);
  cancel.request(Error(ErrorKind::Cancelled, "enough"));
  EXPECT_EQ(waiter.get().error().message(), "enough");
}

TEST_F(RangeLock, ThousandsOfLocksNeedFewDescriptors) {
  RangeLocks one = open();
  RangeLocks other = open();
  for (int i = 0; i < 5000; ++i) {
    ASSERT_TRUE(one.try_lock(std::to_string(i), Mode::Shared).value());
  }
  EXPECT_FALSE(other.try_lock("4711", Mode::Exclusive).value());
  EXPECT_TRUE(other.try_lock("5001", Mode::Exclusive).value());
}

}  // namespace
}  // namespace mybuild
