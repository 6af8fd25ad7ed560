// SPDX-License-Identifier: Apache-2.0
// A step that does its work from the read that its key needs.
#include "tests/solver/world.h"

#include <gtest/gtest.h>

namespace mybuild::solver {
namespace {

class RunAheadTest : public testing::Test {
 protected:
  Edge context() {
    return world_.add({.definition = "context",
                       .source = true,
                       .bare_source = true,
                       .run = [](const auto&) { return Result<std::string>("files"); }},
                      {});
  }
  /// COPY of a context onto the other inputs, if there are any.
  Edge copy(std::vector<Edge> inputs) {
    return world_.add({.definition = "copy",
                       .rule = InputRule::Selected,
                       .selected =
                           [this](const std::string& text) {
                             calls_ += " hash";
                             return text;
                           },
                       .run = [](const auto& texts) { return Result<std::string>(texts[0]); },
                       .ahead = [this](const std::function<void()>& begins) -> Status {
                         calls_ += " ahead";
                         begins();
                         return fails_ ? Status(internal_error("no room")) : Status();
                       }},
                      std::move(inputs));
  }

  World world_;
  std::string calls_;
  bool fails_ = false;
};

TEST_F(RunAheadTest, TheWorkComesBeforeTheKeyAndTheStepIsShownOnce) {
  const Edge last = copy({context()});
  ASSERT_TRUE(world_.solve({last}));
  EXPECT_EQ(calls_, " ahead hash");
  EXPECT_EQ(world_.op(last).runs, 1);
  EXPECT_EQ(world_.sink.count<VertexStarted>(), 2U) << "the context, and the step once";
  EXPECT_EQ(world_.sink.count<VertexDone>(), 2U);
}

TEST_F(RunAheadTest, AStepThatWaitsForAnotherOneMakesItsKeyMeanwhile) {
  const Edge below = world_.join({context()});
  ASSERT_TRUE(world_.solve({copy({context(), below})}));
  EXPECT_EQ(calls_.find("ahead"), std::string::npos) << calls_;
}

TEST_F(RunAheadTest, AnErrorIsThatOfTheStep) {
  fails_ = true;
  const Edge last = copy({context()});
  const SolveResult result = world_.solve_all({last});
  ASSERT_TRUE(result.failure);
  EXPECT_EQ(result.failure->message(), "no room");
  EXPECT_EQ(result.failed_vertex, last.vertex);
  EXPECT_EQ(calls_, " ahead") << "no key is made";
  EXPECT_EQ(world_.op(last).runs, 0);
}

}  // namespace
}  // namespace mybuild::solver
