// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/signals.h"

#include <gtest/gtest.h>

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <thread>

namespace mybuild::cli {
namespace {

TEST(SignalGate, SignalsAreCountedWhileTheWorkRuns) {
  auto gate = SignalGate::open();
  ASSERT_TRUE(gate);
  std::atomic<int> seen = 0;
  const auto ran = gate->run(
      [&] {
        ::kill(::getpid(), SIGINT);
        while (seen < 1) {
          std::this_thread::yield();
        }
        ::kill(::getpid(), SIGTERM);
        while (seen < 2) {
          std::this_thread::yield();
        }
      },
      [&](int signal, int count) {
        EXPECT_EQ(signal, count == 1 ? SIGINT : SIGTERM);
        seen = count;
      });
  EXPECT_TRUE(ran);
  EXPECT_EQ(gate->first_signal(), SIGINT);
}

TEST(SignalGate, WorkThatNobodyDisturbsJustEnds) {
  auto gate = SignalGate::open();
  ASSERT_TRUE(gate);
  bool worked = false;
  EXPECT_TRUE(gate->run([&] { worked = true; }, [](int, int) { FAIL(); }));
  EXPECT_TRUE(worked);
  EXPECT_FALSE(gate->first_signal());
}

}  // namespace
}  // namespace mybuild::cli
