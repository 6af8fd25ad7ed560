// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/http/body_memory.h"

#include <gtest/gtest.h>

namespace mybuild::cache_server {
namespace {

TEST(BodyMemory, OneClientMayHoldAsMuchAsIsLeftForOthers) {
  BodyMemory memory(100);
  BodyMemory::Share share(memory, "a");
  BodyMemory::Share more(memory, "a");
  EXPECT_TRUE(share.hold(40));
  EXPECT_FALSE(more.hold(11));
  EXPECT_TRUE(more.hold(10));
}

TEST(BodyMemory, ManyClientsNeverHoldAllOfIt) {
  BodyMemory memory(100);
  BodyMemory::Share a(memory, "a");
  BodyMemory::Share b(memory, "b");
  BodyMemory::Share c(memory, "c");
  EXPECT_TRUE(a.hold(50));
  EXPECT_FALSE(b.hold(26));
  EXPECT_TRUE(b.hold(25));
  EXPECT_TRUE(c.hold(12));
  EXPECT_FALSE(a.hold(51));
  EXPECT_TRUE(a.hold(50)) << "what it has it keeps";
}

TEST(BodyMemory, WhatARequestHeldIsThereForTheNext) {
  BodyMemory memory(100);
  BodyMemory::Share next(memory, "a");
  {
    BodyMemory::Share share(memory, "a");
    EXPECT_TRUE(share.hold(50));
    EXPECT_FALSE(next.hold(1));
  }
  EXPECT_TRUE(next.hold(50));
}

}  // namespace
}  // namespace mybuild::cache_server
