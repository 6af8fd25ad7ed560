// SPDX-License-Identifier: Apache-2.0
#include "builder/step_claims.h"

#include "snapshotter/base/cancel.h"
#include "snapshotter/base/file.h"
#include "tests/solver/world.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <thread>

namespace mybuild::builder {
namespace {

using snapshotter::Claim;
using snapshotter::Claims;

class StepClaimsTest : public testing::Test {
 protected:
  auto claim(const char* key, const Cancel& given_up) {
    const solver::ClaimedStep step{.definition = {}, .content = {Digest::of(key)}};
    return mine->claim(
        step, Lane::Exec, [this] { ++waits; }, given_up);
  }
  static std::string step(const char* key) { return Claims::step(Digest::of(key)); }

  const TempDir dir = TempDir::create().value();
  const Claims claims{dir.path()};
  std::atomic<int> waits{0};
  Cancel cancel;
  Lanes lanes{{.exec = 1, .net = 1, .disk = 1}};
  const std::unique_ptr<solver::StepClaims> mine = make_step_claims(claims, lanes);
};

TEST_F(StepClaimsTest, AFreeStepIsHadAtOnce) {
  EXPECT_TRUE(claim("a", cancel));
  EXPECT_TRUE(claim("a", cancel)) << "given up with the object";
  EXPECT_EQ(waits, 0);
}

TEST_F(StepClaimsTest, WhoWaitsLeavesTheLaneToOthers) {
  std::optional<Claim> theirs = claims.try_take({step("a")}).value();
  ASSERT_TRUE(theirs);
  std::promise<bool> got;
  lanes.post(Lane::Exec, [&] { got.set_value(claim("a", cancel).has_value()); });
  std::promise<void> other;
  lanes.post(Lane::Exec, [&] { other.set_value(); });
  ASSERT_EQ(other.get_future().wait_for(std::chrono::seconds(30)), std::future_status::ready)
      << "the only thread of the lane waits for another build";
  EXPECT_EQ(waits, 1);
  theirs.reset();
  EXPECT_TRUE(got.get_future().get());
}

TEST_F(StepClaimsTest, BuildsOfOneProcessShareStepsWhateverTheCap) {
  for (const std::size_t jobs : {1U, 2U, 0U}) {
    solver::World world({.exec = jobs, .net = 1, .disk = 1});
    const auto shared = make_step_claims(claims, world.lanes);
    const solver::Edge base = world.join({}, std::chrono::milliseconds(30));
    const solver::Edge left = world.join({base}, std::chrono::milliseconds(30));
    const solver::Edge right = world.join({base}, std::chrono::milliseconds(30));
    const solver::Edge top = world.join({left, right}, std::chrono::milliseconds(30));
    const solver::Graph graph = solver::GraphBuilder(world.builder).build();
    std::vector<std::thread> builds;
    for (int number = 0; number < 4; ++number) {
      builds.emplace_back([&] {
        Cancel own;
        const auto solved = solver::solve(graph, world.ops, {top},
                                          {.index = *world.index,
                                           .lanes = world.lanes,
                                           .executor = *world.executor,
                                           .events = world.sink,
                                           .clock = world.clock,
                                           .cancel = own,
                                           .options = {},
                                           .claims = shared.get()});
        EXPECT_FALSE(solved.failure);
      });
    }
    for (std::thread& build : builds) {
      build.join();
    }
    for (const solver::Edge edge : {base, left, right, top}) {
      EXPECT_EQ(world.op(edge).runs, 1) << "with --jobs " << jobs;
    }
  }
}

TEST_F(StepClaimsTest, ACancelEndsTheWait) {
  const std::optional<Claim> theirs = claims.try_take({step("a")}).value();
  std::thread stopper([this] {
    while (waits == 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    cancel.request(Error(ErrorKind::Cancelled, "interrupted"));
  });
  const auto mine_too = claim("a", cancel);
  stopper.join();
  ASSERT_FALSE(mine_too);
  EXPECT_EQ(mine_too.error().message(), "interrupted");
}

TEST_F(StepClaimsTest, AllNamesOrNone) {
  std::optional<Claim> one = claims.try_take({step("a")}).value();
  EXPECT_FALSE(claims.try_take({step("b"), step("a")}).value());
  EXPECT_TRUE(claims.try_take({step("b")}).value()) << "nothing is left of the vain attempt";
  one.reset();
  EXPECT_TRUE(claims.try_take({step("b"), step("a")}).value());
}

TEST_F(StepClaimsTest, NamesInWhateverOrderLeadToNoCircle) {
  std::vector<std::thread> threads;
  for (int number = 0; number < 4; ++number) {
    threads.emplace_back([this, number] {
      for (int round = 0; round < 50; ++round) {
        std::vector<std::string> names = {step("a"), step("b"), step("c")};
        std::rotate(names.begin(), names.begin() + number % 3, names.end());
        EXPECT_TRUE(claims.take(names, cancel, [] {}));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
}

}  // namespace
}  // namespace mybuild::builder
