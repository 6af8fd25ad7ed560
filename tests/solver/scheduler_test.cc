// SPDX-License-Identifier: Apache-2.0
#include "solver/scheduler.h"

#include "solver/memory_index.h"
#include "tests/support/fake_op.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <random>

namespace mybuild::solver {
namespace {

using testing_support::FakeOp;
using testing_support::text_of;

class RecordingSink final : public EventSink {
 public:
  void on_event(Event event) override {
    const std::lock_guard lock(mutex_);
    events.push_back(std::move(event));
  }
  template <class T>
  std::size_t count() const {
    return static_cast<std::size_t>(std::count_if(
        events.begin(), events.end(), [](const Event& e) { return std::holds_alternative<T>(e); }));
  }
  std::vector<Event> events;

 private:
  std::mutex mutex_;
};

/// A graph of fake ops; vertex i is named "vi".
class World {
 public:
  Edge add(FakeOp::Behaviour behaviour, std::vector<Edge> inputs) {
    ExecOp op;
    op.args = {std::to_string(ops.size())};
    op.has_root = false;
    behaviour.definition = op.args[0] + behaviour.definition;
    const Edge edge =
        builder.add(op, std::move(inputs), oci::host_platform(),
                    {.name = "v" + op.args[0], .location = {}, .ignore_cache = false});
    ops.push_back(std::make_unique<FakeOp>(std::move(behaviour)));
    return edge;
  }
  /// "name(inputs…)"
  Edge join(std::vector<Edge> inputs, std::chrono::milliseconds duration = {}) {
    return add({.definition = "join",
                .run =
                    [](const std::vector<std::string>& texts) {
                      std::string text = "(";
                      for (const std::string& part : texts) {
                        text += part + ",";
                      }
                      return Result<std::string>(text + ")");
                    },
                .duration = duration},
               std::move(inputs));
  }
  Result<SolveResult> solve(std::vector<Edge> targets) {
    const Graph graph = GraphBuilder(builder).build();
    SolveResult result = solver::solve(
        graph, ops, targets,
        {.index = *index, .lanes = lanes, .events = sink, .clock = clock, .cancel = cancel});
    if (result.failure) {
      return std::move(*result.failure);
    }
    return result;
  }
  FakeOp& op(Edge edge) { return static_cast<FakeOp&>(*ops[edge.vertex]); }

  GraphBuilder builder;
  OpTable ops;
  std::unique_ptr<CacheIndex> index = make_memory_index();
  Lanes lanes{{}};
  RecordingSink sink;
  SystemClock clock;
  Cancel cancel;
};

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

/// What the graph must give, computed without a scheduler.
std::string model(const Graph& graph, Edge edge) {
  std::string text = "(";
  for (const Edge input : graph.at(edge).inputs) {
    text += model(graph, input) + ",";
  }
  return text + ")";
}

TEST(SchedulerTest, RandomGraphsGiveWhatTheModelSaysAndRunEachVertexAtMostOnce) {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    World world;
    std::vector<Edge> edges;
    for (unsigned i = 0; i < 12; ++i) {
      std::vector<Edge> inputs;
      for (const Edge edge : edges) {
        if (random() % 4 == 0 && inputs.size() < 3) {
          inputs.push_back(edge);
        }
      }
      edges.push_back(world.join(inputs, std::chrono::milliseconds(random() % 2)));
    }
    const std::vector<Edge> targets = {edges.back(), edges[random() % edges.size()]};
    const Result<SolveResult> result = world.solve(targets);
    ASSERT_TRUE(result.has_value());
    const Graph graph = GraphBuilder(world.builder).build();
    for (const Edge target : targets) {
      EXPECT_EQ(text_of(result->vertices[target.vertex].output->result), model(graph, target));
    }
    for (const Edge edge : edges) {
      EXPECT_LE(world.op(edge).runs, 1);
    }
  }
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
