// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/cpu.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace mybuild {
namespace {

TEST(Cpu, RunsEachIndexOnce) {
  for (const std::size_t count : {0UL, 1UL, 2UL, 1000UL}) {
    std::vector<std::atomic<int>> runs(count);
    cpu::for_each(count, [&](std::size_t i) { ++runs[i]; });
    for (const std::atomic<int>& run : runs) {
      ASSERT_EQ(run, 1);
    }
  }
}

TEST(Cpu, ALimitIsKeptWhileItLives) {
  const std::size_t usual = cpu::parallelism();
  {
    const cpu::Limit one(1);
    EXPECT_EQ(cpu::parallelism(), 1U);
    std::atomic<int> running = 0;
    std::atomic<bool> overlapped = false;
    cpu::for_each(20, [&](std::size_t) {
      overlapped = overlapped || ++running > 1;
      std::this_thread::yield();
      --running;
    });
    EXPECT_FALSE(overlapped);
  }
  EXPECT_EQ(cpu::parallelism(), usual);
}

TEST(Cpu, NestsAndServesManyThreadsAtOnce) {
  std::atomic<int> ran = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      cpu::for_each(10, [&](std::size_t) { cpu::for_each(10, [&](std::size_t) { ++ran; }); });
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(ran, 400);
}

}  // namespace
}  // namespace mybuild
