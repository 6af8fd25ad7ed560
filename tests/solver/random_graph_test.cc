// SPDX-License-Identifier: Apache-2.0
// Random graphs on fake ops, each made from its seed alone: `--gtest_filter=… MYBUILD_SEED=N` plays
// one again. Lost wake-ups show as a test that does not end.
#include "tests/solver/world.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <random>
#include <thread>

namespace mybuild::solver {
namespace {

/// What is to go wrong in a graph.
struct Plan {
  unsigned seed = 0;
  std::vector<Edge> edges;
  std::vector<std::size_t> failing;
  std::vector<std::size_t> endless;
  std::vector<Edge> targets;
};

std::vector<unsigned> seeds() {
  if (const char* one = std::getenv("MYBUILD_SEED")) {
    return {static_cast<unsigned>(std::atoi(one))};
  }
  const unsigned count = std::getenv("MYBUILD_SOAK") != nullptr ? 5000 : 150;
  std::vector<unsigned> all(count);
  for (unsigned i = 0; i < count; ++i) {
    all[i] = i + 1;
  }
  return all;
}

Plan make_graph(World& world, std::mt19937& random) {
  Plan plan;
  const auto count = static_cast<unsigned>(4 + random() % 20);
  for (unsigned i = 0; i < count; ++i) {
    std::vector<Edge> inputs;
    for (const Edge edge : plan.edges) {
      if (random() % 4 == 0 && inputs.size() < 3) {
        inputs.push_back(edge);
      }
    }
    FakeOp::Behaviour behaviour;
    behaviour.definition = "random";
    behaviour.source = random() % 6 == 0;
    behaviour.bare_source = behaviour.source && inputs.empty() && random() % 2 == 0;
    behaviour.rule = random() % 3 == 0 ? InputRule::Selected : InputRule::Whole;
    behaviour.duration = std::chrono::milliseconds(random() % 3);
    behaviour.run = [i](const std::vector<std::string>& texts) {
      std::string text = std::to_string(i) + "(";
      for (const std::string& part : texts) {
        text += part + ",";
      }
      return Result<std::string>(text + ")");
    };
    plan.edges.push_back(world.add(behaviour, inputs));
  }
  plan.targets = {plan.edges.back(), plan.edges[random() % plan.edges.size()]};
  return plan;
}

std::string model(const Graph& graph, Edge edge) {
  std::string text = std::to_string(edge.vertex) + "(";
  for (const Edge input : graph.at(edge).inputs) {
    text += model(graph, input) + ",";
  }
  return text + ")";
}

void expect_each_ran_at_most_once(World& world, const Plan& plan) {
  for (const Edge edge : plan.edges) {
    EXPECT_LE(world.op(edge).runs, 1) << "vertex " << edge.vertex;
  }
}

/// Nothing that stands on a vertex without an output has one.
void expect_nothing_on_nothing(const World& world, const SolveResult& result) {
  const Graph graph = GraphBuilder(world.builder).build();
  for (std::size_t i = 0; i < result.vertices.size(); ++i) {
    for (const Edge input : graph.vertices()[i].inputs) {
      EXPECT_TRUE(!result.vertices[i].output || result.vertices[input.vertex].output);
    }
  }
}

TEST(RandomGraphTest, AllGoesWell) {
  for (const unsigned seed : seeds()) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    World world;
    const Plan plan = make_graph(world, random);
    const Graph graph = GraphBuilder(world.builder).build();
    for (int round = 0; round < 2; ++round) {
      const SolveResult result = world.solve_all(plan.targets);
      ASSERT_FALSE(result.failure.has_value());
      for (const Edge target : plan.targets) {
        EXPECT_EQ(text_of(result.vertices[target.vertex].output->result), model(graph, target));
      }
      for (const Edge edge : plan.edges) {
        FakeOp& op = world.op(edge);
        EXPECT_LE(op.runs, op.is_direct() ? round + 1 : 1) << "vertex " << edge.vertex;
      }
    }
  }
}

TEST(RandomGraphTest, StepsFail) {
  for (const unsigned seed : seeds()) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    World world;
    const Plan plan = make_graph(world, random);
    const Edge broken = plan.edges[random() % plan.edges.size()];
    world.op(broken).does_.run = [](const auto&) {
      return Result<std::string>(not_found("broken"));
    };
    const SolveResult result = world.solve_all(plan.targets);
    expect_each_ran_at_most_once(world, plan);
    expect_nothing_on_nothing(world, result);
    EXPECT_EQ(result.failure.has_value(), world.op(broken).runs == 1);
    if (result.failure) {
      EXPECT_EQ(result.failure->message(), "broken") << "the cause, not one who was stopped";
    }
  }
}

TEST(RandomGraphTest, TheBuildIsCancelled) {
  for (const unsigned seed : seeds()) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    World world;
    const Plan plan = make_graph(world, random);
    std::thread stopper([&world, wait = std::chrono::microseconds(random() % 8000)] {
      std::this_thread::sleep_for(wait);
      world.cancel.request(Error(ErrorKind::Cancelled, "enough"));
    });
    const SolveResult result = world.solve_all(plan.targets);
    stopper.join();
    expect_each_ran_at_most_once(world, plan);
    expect_nothing_on_nothing(world, result);
    const bool is_complete = result.vertices[plan.targets[0].vertex].output &&
                             result.vertices[plan.targets[1].vertex].output;
    EXPECT_TRUE(is_complete || result.failure->kind() == ErrorKind::Cancelled);
  }
}

TEST(RandomGraphTest, StepsTakeTooLong) {
  for (unsigned seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    World world;
    world.options.step_timeout = std::chrono::milliseconds(500);
    const Plan plan = make_graph(world, random);
    const Edge endless = plan.edges[random() % plan.edges.size()];
    world.op(endless).does_.duration = std::chrono::hours(1);
    const SolveResult result = world.solve_all(plan.targets);
    expect_each_ran_at_most_once(world, plan);
    expect_nothing_on_nothing(world, result);
    EXPECT_EQ(result.failure.has_value(), world.op(endless).runs == 1);
    if (result.failure) {
      EXPECT_EQ(result.failure->kind(), ErrorKind::Deadline);
    }
  }
}

TEST(RandomGraphTest, OfStepsThatWaitForAThreadTheOneWithMostBehindItIsFirst) {
  for (unsigned seed = 1; seed <= 3; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    World world({.exec = 1});
    std::vector<std::string> order;
    const auto note = [&order](std::string name) {
      return [&order, name](const auto&) {
        order.push_back(name);  // one thread
        return Result<std::string>(name);
      };
    };
    // Holds the only thread until all chains wait for it.
    const Edge blocker = world.add({.definition = "blocker",
                                    .source = true,
                                    .run = note("blocker"),
                                    .duration = std::chrono::milliseconds(1000)},
                                   {});
    std::vector<Edge> targets = {blocker};
    std::vector<unsigned> lengths = {1, 2, 3, 4, 5, 6};
    std::shuffle(lengths.begin(), lengths.end(), random);
    for (const unsigned length : lengths) {
      const std::string chain = std::to_string(length);
      Edge last = world.add({.definition = chain, .run = note(chain)}, {});
      for (unsigned i = 1; i < length; ++i) {
        last = world.join({last});
      }
      targets.push_back(last);
    }
    ASSERT_FALSE(world.solve_all(targets).failure.has_value());
    EXPECT_EQ(order, (std::vector<std::string>{"blocker", "6", "5", "4", "3", "2", "1"}));
  }
}

/// CPU time of the calling thread, which is the scheduler's.
std::chrono::nanoseconds own_cpu() {
  struct timespec time {};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

TEST(RandomGraphTest, TenThousandVerticesAreScheduledInTime) {
  World world;
  std::mt19937 random(1);
  std::vector<Edge> edges;
  for (unsigned i = 0; i < 10'000; ++i) {
    std::vector<Edge> inputs;
    for (unsigned k = 0; k < std::min(i, 2U); ++k) {
      inputs.push_back(
          edges[edges.size() - 1 - random() % std::min<std::size_t>(edges.size(), 50)]);
    }
    edges.push_back(
        world.add({.definition = "step",
                   .run = [i](const auto&) { return Result<std::string>(std::to_string(i)); }},
                  inputs));
  }
  for (const char* state : {"cold", "cached"}) {
    const auto before = own_cpu();
    const SolveResult result = world.solve_all({edges.back()});
    const auto used = std::chrono::duration_cast<std::chrono::milliseconds>(own_cpu() - before);
    ASSERT_FALSE(result.failure.has_value());
    RecordProperty(std::string("cpu_ms_") + state, static_cast<int>(used.count()));
    std::printf("10,000 vertices, %s: %d ms of the scheduler's own CPU\n", state,
                static_cast<int>(used.count()));
    EXPECT_LT(used.count(), 2000) << "about 100 without sanitizers on a machine of its own";
  }
}

}  // namespace
}  // namespace mybuild::solver
