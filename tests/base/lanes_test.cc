// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/lanes.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <iterator>
#include <latch>
#include <set>
#include <thread>

namespace mybuild {
namespace {

TEST(Lanes, RunWhatWasPostedBeforeTheyEnd) {
  std::atomic<int> ran = 0;
  {
    Lanes lanes({});
    for (int i = 0; i < 500; ++i) {
      lanes.post(Lane::Disk, [&] { ++ran; });
    }
  }
  EXPECT_EQ(ran, 500);
}

TEST(Lanes, ATaskMayPostWhileTheLanesEnd) {
  for (int round = 0; round < 200; ++round) {
    std::atomic<int> ran = 0;
    {
      Lanes lanes({});
      for (int i = 0; i < 4; ++i) {
        lanes.post(Lane::Exec, [&] {
          lanes.post(Lane::Exec, [&] { ++ran; });
          ++ran;
        });
      }
    }
    ASSERT_EQ(ran, 8);
  }
}

TEST(Lanes, AnUncappedLaneRunsAllItsTasksAtOnce) {
  Lanes lanes({});
  std::latch together(20);
  for (int i = 0; i < 20; ++i) {
    lanes.post(Lane::Exec, [&] { together.arrive_and_wait(); });  // hangs unless all 20 run at once
  }
  together.wait();
}

TEST(Lanes, ACapIsKept) {
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  {
    Lanes lanes({.exec = 0, .net = 2, .disk = 1});
    for (int i = 0; i < 50; ++i) {
      lanes.post(Lane::Net, [&] {
        const int now = ++running;
        for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
        }
        std::this_thread::sleep_for(std::chrono::microseconds(200));
        --running;
      });
    }
  }
  EXPECT_LE(most, 2);
}

/// Of this process.
std::size_t threads() {
  const std::filesystem::directory_iterator all("/proc/self/task");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

TEST(Lanes, ThreadsMayBeginBeforeTheirTasks) {
  Lanes lanes({.disk = 2});
  const std::size_t before = threads();
  lanes.begin_threads(Lane::Disk, 1);
  EXPECT_EQ(threads(), before + 1);
  lanes.begin_threads(Lane::Disk, 5);
  EXPECT_EQ(threads(), before + 2);
  std::latch together(2);
  for (int i = 0; i < 2; ++i) {
    lanes.post(Lane::Disk, [&] { together.arrive_and_wait(); });
  }
  together.wait();
  EXPECT_EQ(threads(), before + 2);
}

TEST(FanOut, RunsEachIndexOnce) {
  Lanes lanes({});
  std::vector<std::atomic<int>> runs(1000);
  EXPECT_TRUE(lanes.fan_out(Lane::Disk, runs.size(), [&](std::size_t i) -> Status {
    ++runs[i];
    return {};
  }));
  for (const std::atomic<int>& count : runs) {
    ASSERT_EQ(count, 1);
  }
  EXPECT_TRUE(lanes.fan_out(Lane::Disk, 0, [](std::size_t) -> Status { return {}; }));
}

TEST(Lanes, ATaskThatStepsAsideHoldsNobodyBack) {
  std::latch released(1);
  std::atomic<int> ran = 0;
  Lanes lanes({.exec = 1});
  lanes.post(Lane::Exec, [&] {
    lanes.step_aside(Lane::Exec, [&] { released.wait(); });
    ++ran;
  });
  lanes.post(Lane::Exec, [&] { released.count_down(); });
  lanes.step_aside(Lane::Exec, [&] { released.wait(); });  // on no thread of the lane
}

TEST(Lanes, WhoStepsAsideComesBackWithinTheCap) {
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  std::atomic<int> done = 0;
  const auto busy = [&] {
    most = std::max(most.load(), ++running);
    std::this_thread::sleep_for(std::chrono::microseconds(100));
    --running;
  };
  {
    Lanes lanes({.exec = 2});
    for (int i = 0; i < 200; ++i) {
      lanes.post(Lane::Exec, [&] {
        busy();
        lanes.step_aside(Lane::Exec,
                         [] { std::this_thread::sleep_for(std::chrono::microseconds(100)); });
        busy();
        ++done;
      });
    }
  }
  EXPECT_EQ(done, 200);
  EXPECT_LE(most, 2);
}

/// A step that waits for its claim, and then for a cache mount that another one, back from its own
/// wait, has: with --jobs 1.
TEST(Lanes, WhoStepsAsideAgainMakesRoomForWhoComesBack) {
  std::latch first_claim(1);
  std::latch first_goes_on(1);
  std::latch second_mount(1);
  std::latch second_done(1);
  std::latch first_is_back(1);
  Lanes lanes({.exec = 1});
  lanes.post(Lane::Exec, [&] {
    lanes.step_aside(Lane::Exec, [&] { first_claim.wait(); });
    first_is_back.count_down();
    first_goes_on.wait();
    lanes.step_aside(Lane::Exec, [&] { second_done.wait(); });
  });
  lanes.post(Lane::Exec, [&] {
    lanes.step_aside(Lane::Exec, [&] {
      first_claim.count_down();
      second_mount.wait();
    });
    second_done.count_down();
  });
  first_is_back.wait();
  second_mount.count_down();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // the second wants to come back
  first_goes_on.count_down();
  second_done.wait();
}

TEST(FanOut, NestsOnABoundedLaneWithoutDeadlock) {
  Lanes lanes({.exec = 0, .net = 1, .disk = 1});
  std::atomic<int> ran = 0;
  EXPECT_TRUE(lanes.fan_out(Lane::Disk, 5, [&](std::size_t) -> Status {
    return lanes.fan_out(Lane::Disk, 5, [&](std::size_t) -> Status {
      ++ran;
      return {};
    });
  }));
  EXPECT_EQ(ran, 25);
}

TEST(FanOut, ReportsTheFirstErrorByIndex) {
  for (int round = 0; round < 50; ++round) {
    Lanes lanes({});
    const Status status = lanes.fan_out(Lane::Disk, 100, [](std::size_t i) -> Status {
      if (i >= 3) {
        return invalid_argument("index {}", i);
      }
      return {};
    });
    ASSERT_EQ(status.error().message(), "index 3");
  }
}

}  // namespace
}  // namespace mybuild
