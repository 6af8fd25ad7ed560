// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/host_slots.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace mybuild::registry {
namespace {

TEST(HostSlots, SoManyAtOnceAndNoMore) {
  HostSlots slots(3);
  const Cancel cancel;
  std::atomic<int> now{0};
  std::atomic<int> most{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 12; ++i) {
    threads.emplace_back([&] {
      const auto slot = slots.take("https://a", cancel);
      ASSERT_TRUE(slot);
      const int count = ++now;
      for (int seen = most; count > seen && !most.compare_exchange_weak(seen, count);) {
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      --now;
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(most, 3);
}

TEST(HostSlots, AnotherHostHasItsOwn) {
  HostSlots slots(1);
  const Cancel cancel;
  const auto one = slots.take("https://a", cancel);
  EXPECT_TRUE(one);
  EXPECT_TRUE(slots.take("https://b", cancel));
}

TEST(HostSlots, WhoWaitsCanBeStopped) {
  HostSlots slots(1);
  Cancel cancel;
  const auto one = slots.take("https://a", cancel);
  std::thread waiter([&] {
    const auto two = slots.take("https://a", cancel);
    ASSERT_FALSE(two);
    EXPECT_EQ(two.error().kind(), ErrorKind::Cancelled);
  });
  cancel.request(make_error(ErrorKind::Cancelled, "stop"));
  waiter.join();
}

}  // namespace
}  // namespace mybuild::registry
