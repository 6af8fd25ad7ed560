// SPDX-License-Identifier: Apache-2.0
// Where SOURCE_DATE_EPOCH may come from, and what it comes to.
#include "tests/frontend/fake_resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::frontend {
namespace {

using testing::HasSubstr;

Result<FrontendOutput> build_with(std::string text, std::optional<std::string> argument) {
  FrontendInput input = testing_support::input_of(std::move(text));
  input.contexts.emplace("assets", LocalContext{});
  if (argument) {
    input.build_args["SOURCE_DATE_EPOCH"] = *argument;
  }
  testing_support::FakeResolver resolver;
  return build_dockerfile(input, resolver);
}

TEST(Epoch, ComesFromTheArgumentOrAGlobalDefault) {
  const std::string file = "ARG SOURCE_DATE_EPOCH=7\nFROM alpine\n";
  EXPECT_EQ(build_with("FROM alpine\n", {})->source_date_epoch, std::nullopt);
  EXPECT_EQ(build_with("FROM alpine\n", "5")->source_date_epoch, 5);
  EXPECT_EQ(build_with("FROM alpine\n", "0")->source_date_epoch, 0);
  EXPECT_EQ(build_with(file, {})->source_date_epoch, 7);
  EXPECT_EQ(build_with(file, "5")->source_date_epoch, 5);
  EXPECT_EQ(build_with(file, "")->source_date_epoch, std::nullopt) << "switched off";
  EXPECT_EQ(build_with("FROM alpine\nARG SOURCE_DATE_EPOCH=7\n", {})->source_date_epoch,
            std::nullopt)
      << "an ARG of a stage is no more than that";
}

TEST(Epoch, DirectoriesAndImagesHaveNoTime) {
  for (const char* value : {"context", "assets"}) {
    const auto asked = build_with("FROM alpine\n", value);
    ASSERT_TRUE(asked) << asked.error().message();
    EXPECT_EQ(asked->source_date_epoch, std::nullopt);
    ASSERT_EQ(asked->warnings.size(), 1U);
    EXPECT_THAT(asked->warnings[0].message, HasSubstr(value));
    const auto by_default =
        build_with(fmt::format("ARG SOURCE_DATE_EPOCH={}\nFROM alpine\n", value), {});
    EXPECT_EQ(by_default->source_date_epoch, std::nullopt);
    EXPECT_TRUE(by_default->warnings.empty());
  }
}

TEST(Epoch, StepsSeeTheNumber) {
  const std::string file = "FROM alpine\nARG SOURCE_DATE_EPOCH\nRUN x\n";
  const auto env_of = [](const FrontendOutput& out) {
    return std::get<solver::ExecOp>(out.graph.vertices().back().op).env;
  };
  EXPECT_THAT(env_of(*build_with(file, "5")), testing::Contains("SOURCE_DATE_EPOCH=5"));
  EXPECT_THAT(env_of(*build_with(file, "context")), testing::Contains("SOURCE_DATE_EPOCH="));
}

TEST(Epoch, WhatIsNoneIsRefused) {
  for (const char* value : {"x", "-1", "5s", " 5", "1e3", "253402300800", "99999999999999999999"}) {
    const auto got = build_with("FROM alpine\n", value);
    ASSERT_FALSE(got) << value;
    EXPECT_EQ(got.error().message(), fmt::format("invalid SOURCE_DATE_EPOCH: {}", value));
  }
  const auto in_file = build_with("ARG A\nARG SOURCE_DATE_EPOCH=x\nFROM alpine\n", {});
  ASSERT_FALSE(in_file);
  EXPECT_EQ(in_file.error().location()->first_line, 2);
}

TEST(Epoch, AStageHasOneOnlyIfItIsARemoteSource) {
  const auto message = [](const std::string& stage) {
    return build_with(stage + "\nFROM alpine\n", "Src").error().message();
  };
  EXPECT_THAT(message("FROM scratch AS src\nARG V=1\nADD https://example.com/$V.tar /"),
              HasSubstr("not supported yet"));
  for (const char* stage : {"FROM alpine AS src\nADD https://example.com/a /",
                            "FROM scratch AS src", "FROM scratch AS src\nCOPY a /",
                            "FROM scratch AS src\nADD https://a/b /\nADD https://a/c /",
                            "FROM scratch AS src\nADD https://a/b /\nENV a=b"}) {
    EXPECT_THAT(message(stage), HasSubstr("has no time of its own")) << stage;
  }
}

}  // namespace
}  // namespace mybuild::frontend
