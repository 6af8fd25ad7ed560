// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/cancel.h"
#include "snapshotter/base/child.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

#include <gtest/gtest.h>

#include <time.h>

#include <csignal>
#include <future>

namespace mybuild {
namespace {

using namespace std::chrono_literals;
using Mode = FileLock::Mode;

class LockWait : public ::testing::Test {
 protected:
  /// Another process that holds the lock until it is killed.
  Child holder() {
    Pipe ready = sys::pipe().value();
    Child::Options options;
    // One process only has the lock: what it is killed for would otherwise live on in its child.
    options.argv = {"flock", "--no-fork", path_, "sh", "-c", "echo; exec sleep 100"};
    options.env = {"PATH=/usr/bin:/bin"};
    options.fds = {{ready.write_end.get(), 1}};
    Child child = Child::spawn(options).value();
    ready.write_end.reset();
    EXPECT_TRUE(sys::poll_readable(ready.read_end.get(), 10s).value());
    return child;
  }
  std::future<Result<FileLock>> wait(Mode mode = Mode::Exclusive) {
    return std::async(std::launch::async,
                      [this, mode] { return FileLock::acquire(path_, mode, cancel_); });
  }

  const TempDir directory_ = TempDir::create().value();
  const std::string path_ = directory_.path() + "/lock";
  Cancel cancel_;
};

TEST_F(LockWait, AFreeLockIsTakenAtOnce) {
  EXPECT_TRUE(FileLock::acquire(path_, Mode::Exclusive, cancel_));
  EXPECT_TRUE(FileLock::acquire(path_, Mode::Exclusive, cancel_)) << "and was given up";
  EXPECT_EQ(FileLock::acquire("/nonexistent/lock", Mode::Shared, cancel_).error().kind(),
            ErrorKind::NotFound);
}

TEST_F(LockWait, AWaiterGetsTheLockWhenTheHolderIsKilled) {
  Child first = holder();
  auto waiter = wait();
  ASSERT_EQ(waiter.wait_for(50ms), std::future_status::timeout);
  ASSERT_TRUE(first.kill(SIGKILL));
  ASSERT_EQ(waiter.wait_for(10s), std::future_status::ready);
  EXPECT_TRUE(waiter.get());
}

TEST_F(LockWait, ACancelInterruptsAWaitAtOnce) {
  const FileLock held = FileLock::acquire(path_, Mode::Shared).value();
  auto waiter = wait();
  ASSERT_EQ(waiter.wait_for(50ms), std::future_status::timeout);
  const auto asked = std::chrono::steady_clock::now();
  cancel_.request(Error(ErrorKind::Cancelled, "enough"));
  EXPECT_EQ(waiter.get().error().message(), "enough");
  EXPECT_LT(std::chrono::steady_clock::now() - asked, 1s);
}

TEST_F(LockWait, AfterACancelNobodyIsLeftInTheQueue) {
  {
    const FileLock held = FileLock::acquire(path_, Mode::Exclusive).value();
    auto waiter = wait();
    ASSERT_EQ(waiter.wait_for(20ms), std::future_status::timeout);
    cancel_.request(Error(ErrorKind::Cancelled, "enough"));
    ASSERT_FALSE(waiter.get());
  }
  EXPECT_TRUE(FileLock::try_acquire(path_, Mode::Exclusive).value());
}

TEST_F(LockWait, WaitingTakesNoProcessorTime) {
  const auto used = [] {
    struct timespec time {};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  };
  std::optional<FileLock> held = FileLock::acquire(path_, Mode::Exclusive).value();
  auto waiter = wait();
  ASSERT_EQ(waiter.wait_for(50ms), std::future_status::timeout);
  const auto before = used();
  ASSERT_EQ(waiter.wait_for(300ms), std::future_status::timeout);
  EXPECT_LT(used() - before, 5ms);
  held.reset();
  EXPECT_TRUE(waiter.get());
}

TEST_F(LockWait, ThoseWhoShareGoTogether) {
  const FileLock held = FileLock::acquire(path_, Mode::Shared).value();
  EXPECT_TRUE(wait(Mode::Shared).get());
  auto writer = wait(Mode::Exclusive);
  EXPECT_EQ(writer.wait_for(20ms), std::future_status::timeout);
  cancel_.request(Error(ErrorKind::Cancelled, "enough"));
  EXPECT_FALSE(writer.get());
}

}  // namespace
}  // namespace mybuild
