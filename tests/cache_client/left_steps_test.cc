// SPDX-License-Identifier: Apache-2.0
// What one process leaves is what the next one reads.
#include "builder/cache_client/left_steps.h"

#include <gtest/gtest.h>

namespace mybuild::cache_client {
namespace {

TEST(LeftSteps, AreReadAsTheyWereWritten) {
  const solver::CacheRecord step{
      .definition = {Digest::of("d")},
      .content = {Digest::of("c")},
      .inputs = {{Digest::of("i")}, {Digest{}}},
      .output = {Digest::of("o")},
      .body = "{\"a\":1}",
      .run = solver::StepRun{.step = "RUN \"x\"\n", .took = std::chrono::milliseconds(1234)}};
  const auto left =
      parse_left_steps(dump(LeftSteps{.server = "unix:/run/s:team", .steps = {step, step}}));
  ASSERT_TRUE(left);
  EXPECT_EQ(left->server, "unix:/run/s:team");
  ASSERT_EQ(left->steps.size(), 2U);
  const solver::CacheRecord& read = left->steps[1];
  EXPECT_EQ(read.definition, step.definition);
  EXPECT_EQ(read.content, step.content);
  EXPECT_EQ(read.inputs, step.inputs);
  EXPECT_EQ(read.output, step.output);
  EXPECT_EQ(read.body, step.body);
  EXPECT_EQ(read.run->step, step.run->step);
  EXPECT_EQ(read.run->took, step.run->took);
}

TEST(LeftSteps, ADamagedFileIsRefused) {
  for (const char* text : {"", "{}", "[]", R"({"server":"x","steps":[{}]})",
                           R"({"server":"x","steps":[{"definition":"sha256:1"}]})"}) {
    EXPECT_FALSE(parse_left_steps(text)) << text;
  }
}

}  // namespace
}  // namespace mybuild::cache_client
