// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/cpu.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
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

TEST(Cpu, RunsEachBodyOnce) {
  std::vector<std::atomic<int>> runs(1000);
  cpu::Group group;
  for (int round = 1; round < 3; ++round) {
    for (std::atomic<int>& run : runs) {
      group.run([&run] { ++run; });
    }
    group.wait();
    for (const std::atomic<int>& run : runs) {
      ASSERT_EQ(run, round);
    }
  }
}

TEST(Cpu, NoBodyIsForgottenByAGroupThatGoes) {
  std::atomic<int> ran = 0;
  {
    cpu::Group group;
    for (int i = 0; i < 50; ++i) {
      group.run([&] { ++ran; });
    }
  }
  EXPECT_EQ(ran, 50);
}

TEST(Cpu, ABodyMayLeaveAnotherOne) {
  std::atomic<int> ran = 0;
  cpu::Group group;
  group.run([&] { group.run([&] { ++ran; }); });
  group.wait();
  EXPECT_EQ(ran, 1);
}

TEST(Cpu, WhatABodyHoldsIsGoneWhenTheWaitIsOver) {
  for (int i = 0; i < 200; ++i) {
    auto held = std::make_shared<int>(i);
    cpu::Group group;
    group.run([held] {});
    group.wait();
    ASSERT_EQ(held.use_count(), 1);
  }
}

TEST(Cpu, BodiesRunBesideWhoeverStartsThem) {
  if (cpu::parallelism() == 1) {
    GTEST_SKIP() << "one core";
  }
  std::atomic<bool> ran = false;
  cpu::Group group;
  group.run([&] {
    ran = true;
    ran.notify_all();
  });
  ran.wait(false);  // nobody waits for the group
}

TEST(Cpu, ALimitIsKeptWhileItLives) {
  const std::size_t usual = cpu::parallelism();
  {
    const cpu::Limit one(1);
    EXPECT_EQ(cpu::parallelism(), 1U);
    std::atomic<int> running = 0;
    std::atomic<bool> overlapped = false;
    const auto body = [&](std::size_t) {
      overlapped = overlapped || ++running > 1;
      std::this_thread::yield();
      --running;
    };
    cpu::for_each(20, body);
    cpu::Group group;
    for (std::size_t i = 0; i < 20; ++i) {
      group.run([&body] { body(0); });
    }
    group.wait();
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
