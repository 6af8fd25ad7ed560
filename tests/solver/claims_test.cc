// SPDX-License-Identifier: Apache-2.0
// Steps that another build may run at the same time. The other build is a function that is called
// when a step is claimed.
#include "tests/solver/world.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>

namespace mybuild::solver {
namespace {

using std::chrono::milliseconds;

class FakeClaims final : public StepClaims {
 public:
  Result<std::unique_ptr<StepClaim>> claim(const ClaimedStep& step, Lane,
                                           const std::function<void()>& on_wait,
                                           const Cancel& cancel) override {
    ++asked;
    if (is_taken) {
      on_wait();
    }
    if (meanwhile) {
      meanwhile(step.content);
    }
    TRY(cancel.check());
    return std::unique_ptr<StepClaim>(std::make_unique<Held>(held));
  }

  std::atomic<int> asked{0};
  std::atomic<int> held{0};
  bool is_taken = false;
  std::function<void(const ContentKey&)> meanwhile;  // what the other build does until it is ours

 private:
  struct Held final : StepClaim {
    explicit Held(std::atomic<int>& all) : count(all) { ++count; }
    ~Held() override { --count; }
    std::atomic<int>& count;
  };
};

class ClaimsTest : public testing::Test {
 protected:
  ClaimsTest() { world.claims = &claims; }

  /// The other build comes to the end of the step.
  void finish_elsewhere(const ContentKey& key) {
    CacheRecord record;
    record.definition.digest = Digest::of("another definition");
    record.content = key;
    record.output.digest = Digest::of("tree theirs");
    record.body = "theirs";
    ASSERT_TRUE(world.index->add(record));
  }

  FakeClaims claims;
  World world;
};

TEST_F(ClaimsTest, AStepIsClaimedWhileItRuns) {
  int held = -1;
  const Edge step = world.add({.definition = "looks",
                               .run =
                                   [&](const auto&) {
                                     held = claims.held;
                                     return Result<std::string>("done");
                                   }},
                              {});
  ASSERT_TRUE(world.solve({step}).has_value());
  EXPECT_EQ(held, 1);
  EXPECT_EQ(claims.held, 0);
}

TEST_F(ClaimsTest, WhatIsFoundIsNotClaimed) {
  const Edge step = world.join({});
  ASSERT_TRUE(world.solve({step}).has_value());
  ASSERT_TRUE(world.solve({step}).has_value());
  EXPECT_EQ(claims.asked, 1);
}

TEST_F(ClaimsTest, WhatAnotherBuildRunsIsWaitedForAndFound) {
  claims.is_taken = true;
  claims.meanwhile = [this](const ContentKey& key) { finish_elsewhere(key); };
  const Edge step = world.join({});
  const Result<SolveResult> solved = world.solve({step});
  ASSERT_TRUE(solved.has_value());
  EXPECT_EQ(world.op(step).runs, 0);
  const VertexOutcome& outcome = solved->vertices[step.vertex];
  EXPECT_TRUE(outcome.cached);
  EXPECT_TRUE(outcome.made_meanwhile);
  EXPECT_EQ(text_of(outcome.output->result), "theirs");
  ASSERT_EQ(world.sink.events.size(), 3U);
  EXPECT_TRUE(std::holds_alternative<VertexStarted>(world.sink.events[0]));
  ASSERT_TRUE(std::holds_alternative<LogChunk>(world.sink.events[1]));
  EXPECT_EQ(std::get<LogChunk>(world.sink.events[1]).bytes,
            "waiting for the same step, which another build or stage runs now\n");
  EXPECT_TRUE(std::holds_alternative<VertexCached>(world.sink.events[2]));
}

TEST_F(ClaimsTest, WhatEndsJustBeforeTheClaimIsFoundWithoutAWord) {
  claims.meanwhile = [this](const ContentKey& key) { finish_elsewhere(key); };
  const Edge step = world.join({});
  ASSERT_TRUE(world.solve({step}).has_value());
  EXPECT_EQ(world.op(step).runs, 0);
  EXPECT_EQ(world.sink.count<VertexStarted>(), 0U);
  EXPECT_EQ(world.sink.count<VertexCached>(), 1U);
}

TEST_F(ClaimsTest, AStepRunsHereWhenTheOtherBuildFailedOrDied) {
  claims.is_taken = true;
  const Edge step = world.join({});
  const Result<SolveResult> solved = world.solve({step});
  ASSERT_TRUE(solved.has_value());
  EXPECT_EQ(world.op(step).runs, 1);
  EXPECT_FALSE(solved->vertices[step.vertex].cached);
  EXPECT_EQ(world.sink.count<VertexStarted>(), 1U) << "once, for the wait and the run";
  EXPECT_EQ(world.sink.count<VertexDone>(), 1U);
}

TEST_F(ClaimsTest, AStepThatFailsIsGivenUp) {
  const Edge bad =
      world.add({.definition = "bad",
                 .run = [](const auto&) { return Result<std::string>(not_found("it broke")); }},
                {});
  EXPECT_FALSE(world.solve({bad}).has_value());
  EXPECT_EQ(claims.asked, 1);
  EXPECT_EQ(claims.held, 0);
}

TEST_F(ClaimsTest, AStepThatMustRunIsNoBusinessOfOthers) {
  ExecOp op;
  op.has_root = false;
  world.ops.push_back(std::make_unique<FakeOp>(FakeOp::Behaviour{
      .definition = "forced", .run = [](const auto&) { return Result<std::string>("x"); }}));
  const Edge forced = world.builder.add(op, {}, oci::host_platform(),
                                        {.name = "v", .location = {}, .ignore_cache = true});
  ASSERT_TRUE(world.solve({forced}).has_value());
  EXPECT_EQ(claims.asked, 0);
  world.options.early_cutoff = false;
  ASSERT_TRUE(world.solve({world.join({forced})}).has_value());
  EXPECT_EQ(claims.asked, 0) << "what stands on it must run, too";
}

TEST_F(ClaimsTest, SourcesAndMergesAreNotClaimed) {
  const Edge merge = world.add({.definition = "merge",
                                .source = true,
                                .run = [](const auto&) { return Result<std::string>("m"); }},
                               {world.join({})});
  ASSERT_TRUE(world.solve({merge}).has_value());
  EXPECT_EQ(claims.asked, 1);
}

TEST_F(ClaimsTest, TheEndOfTheBuildEndsTheWait) {
  claims.is_taken = true;
  claims.meanwhile = [this](const ContentKey&) {
    world.cancel.request(Error(ErrorKind::Cancelled, "interrupted"));
  };
  const Edge step = world.join({});
  const Result<SolveResult> solved = world.solve({step});
  ASSERT_FALSE(solved.has_value());
  EXPECT_EQ(solved.error().message(), "interrupted");
  EXPECT_EQ(world.op(step).runs, 0);
  EXPECT_EQ(world.sink.count<VertexStarted>(), 1U);
  EXPECT_EQ(world.sink.count<VertexDone>(), 1U);
}

TEST_F(ClaimsTest, TheWaitIsNoPartOfTheTimeThatAStepMayTake) {
  claims.is_taken = true;
  claims.meanwhile = [](const ContentKey&) { std::this_thread::sleep_for(milliseconds(300)); };
  world.options.step_timeout = milliseconds(100);
  EXPECT_TRUE(world.solve({world.join({})}).has_value());
}

}  // namespace
}  // namespace mybuild::solver
