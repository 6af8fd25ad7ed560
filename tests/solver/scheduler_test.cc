// SPDX-License-Identifier: Apache-2.0
#include "tests/solver/world.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <random>

namespace mybuild::solver {
namespace {

TEST(SchedulerTest, ADiamondRunsItsTopOnce) {
  World world;
  const Edge top = world.join({});
  const Edge left = world.join({top});
  const Edge right = world.join({top, left});
  const Edge bottom = world.join({left, right});
  ASSERT_TRUE(world.solve({bottom}).has_value());
  EXPECT_EQ(world.op(top).runs, 1);
}

TEST(SchedulerTest, WhatNoTargetNeedsIsNotRun) {
  World world;
  const Edge used = world.join({});
  const Edge unused = world.join({});
  ASSERT_TRUE(world.solve({used}).has_value());
  EXPECT_EQ(world.op(unused).runs, 0);
}

TEST(SchedulerTest, IndependentStepsRunAtTheSameTime) {
  World world;
  std::vector<Edge> sleepers;
  for (int i = 0; i < 8; ++i) {
    sleepers.push_back(world.join({}, std::chrono::milliseconds(250)));
  }
  const Edge last = world.join(sleepers);
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_TRUE(world.solve({last}).has_value());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(1500))
      << "one after the other they take two seconds";
}

TEST(SchedulerTest, StepsThatEndAtTheSameMomentShareTheIndex) {
  for (int round = 0; round < 20; ++round) {
    World world;
    std::vector<Edge> steps;
    for (int i = 0; i < 64; ++i) {
      steps.push_back(world.join({}));
    }
    const Edge last = world.join(steps);
    ASSERT_TRUE(world.solve({last}).has_value());
    ASSERT_TRUE(world.solve({last}).has_value());
    EXPECT_EQ(world.op(last).runs, 1);
  }
}

TEST(SchedulerTest, ASecondBuildIsAllCached) {
  World world;
  const Edge a = world.join({});
  const Edge b = world.join({a});
  ASSERT_TRUE(world.solve({b}).has_value());
  ASSERT_TRUE(world.solve({b}).has_value());
  EXPECT_EQ(world.op(a).runs, 1);
  EXPECT_EQ(world.op(b).runs, 1);
  EXPECT_EQ(world.sink.count<VertexCached>(), 2u);
}

TEST(SchedulerTest, TheFirstFailureStopsTheRestAndIsTheAnswer) {
  World world;
  const Edge bad =
      world.add({.definition = "bad",
                 .run = [](const auto&) { return Result<std::string>(not_found("it broke")); },
                 .duration = std::chrono::milliseconds(20)},
                {});
  const Edge slow = world.join({}, std::chrono::seconds(30));
  const Edge after = world.join({bad, slow});
  const auto begin = std::chrono::steady_clock::now();
  const Result<SolveResult> result = world.solve({after});
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().message(), "it broke");
  EXPECT_EQ(world.op(after).runs, 0);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  EXPECT_EQ(world.sink.count<VertexStarted>(), 2u);
  EXPECT_EQ(world.sink.count<VertexDone>(), 2u) << "what was started is always ended";
}

TEST(SchedulerTest, ACancelFromOutsideEndsTheBuild) {
  World world;
  const Edge slow = world.join({}, std::chrono::seconds(30));
  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    world.cancel.request(Error(ErrorKind::Cancelled, "interrupted"));
  });
  const Result<SolveResult> result = world.solve({slow});
  canceller.join();
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind(), ErrorKind::Cancelled);
}

TEST(SchedulerTest, WhatIsDirectIsNeitherLookedUpNorRecorded) {
  World world;
  const Edge base = world.join({});
  const Edge top = world.join({});
  const Edge merge = world.add({.definition = "merge",
                                .source = true,
                                .run =
                                    [](const std::vector<std::string>& texts) {
                                      return Result<std::string>(texts[0] + "+" + texts[1]);
                                    }},
                               {base, top});
  const Edge last = world.join({merge});
  for (int round = 0; round < 2; ++round) {
    const auto solved = world.solve({last});
    ASSERT_TRUE(solved.has_value());
    EXPECT_EQ(solved->vertices[last.vertex].cached, round == 1);
    EXPECT_FALSE(solved->vertices[merge.vertex].cached);
  }
  EXPECT_EQ(world.op(merge).runs, 2);
  EXPECT_EQ(world.op(last).runs, 1);
}

TEST(SchedulerTest, NobodyIsToldOfAVertexWithoutAName) {
  World world;
  const Edge step = world.join({});
  FakeOp::Behaviour quiet;
  quiet.source = true;
  quiet.run = [](const std::vector<std::string>& texts) { return Result<std::string>(texts[0]); };
  world.ops.push_back(std::make_unique<FakeOp>(quiet));
  const Edge last = world.builder.add(MergeOp(), {step}, oci::host_platform(), {});
  ASSERT_TRUE(world.solve({last}).has_value());
  EXPECT_EQ(world.sink.count<VertexStarted>(), 1U);
  EXPECT_EQ(world.sink.count<VertexDone>(), 1U);
}

}  // namespace
}  // namespace mybuild::solver
