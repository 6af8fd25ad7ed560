// SPDX-License-Identifier: Apache-2.0
#include "tests/frontend/fake_resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::frontend {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing_support::FakeResolver;
using testing_support::input_of;

TEST(Resolving, AsksForAllImagesAtOnceAndForNoneThatIsNotNeeded) {
  FakeResolver resolver;
  const auto out = build_dockerfile(
      input_of("FROM missing AS unused\nFROM alpine AS a\nFROM busybox\nCOPY --from=a / /\n"
               "COPY --from=empty / /\nRUN --mount=from=rich,target=/m true\n"),
      resolver);
  ASSERT_TRUE(out) << out.error().message();
  ASSERT_EQ(1U, resolver.rounds.size());
  EXPECT_THAT(resolver.rounds[0], ElementsAre("docker.io/library/alpine:latest linux/amd64",
                                              "docker.io/library/busybox:latest linux/amd64",
                                              "docker.io/library/empty:latest linux/amd64",
                                              "docker.io/library/rich:latest linux/amd64"));
}

TEST(Resolving, GoesASecondRoundOnlyForWhatTriggersAdd) {
  FakeResolver resolver;
  const auto out = build_dockerfile(input_of("FROM triggers\n"), resolver);
  ASSERT_TRUE(out) << out.error().message();
  ASSERT_EQ(2U, resolver.rounds.size());
  EXPECT_THAT(resolver.rounds[1], ElementsAre("docker.io/library/busybox:latest linux/amd64"));
}

TEST(Resolving, AsksOncePerPlatformWhateverTheNumberOfUses) {
  FakeResolver resolver;
  FrontendInput input = input_of(
      "FROM alpine AS a\nFROM docker.io/library/alpine:latest\n"
      "COPY --from=a /x /\nCOPY --from=alpine /y /\n");
  input.platforms.push_back({"linux", "arm", "v7", ""});
  input.platforms_given = true;
  const auto out = build_dockerfile(input, resolver);
  ASSERT_TRUE(out) << out.error().message();
  EXPECT_THAT(resolver.rounds[0], ElementsAre("docker.io/library/alpine:latest linux/amd64",
                                              "docker.io/library/alpine:latest linux/arm/v7"));
  EXPECT_EQ("v7", out->targets[1].config.platform.variant);
}

TEST(Graph, EqualVerticesOfTwoPlatformsAreOne) {
  FakeResolver resolver;
  FrontendInput input = input_of(
      "FROM --platform=$BUILDPLATFORM alpine AS b\nRUN make\nFROM scratch\n"
      "COPY --from=b /out /\n");
  input.platforms.push_back({"linux", "arm64", "", ""});
  const auto out = build_dockerfile(input, resolver);
  ASSERT_TRUE(out) << out.error().message();
  EXPECT_EQ(3U, out->graph.vertices().size());
  EXPECT_EQ(out->targets[0].root, out->targets[1].root);
}

TEST(Graph, AnEmptyStageHasNoRoot) {
  const auto out = testing_support::build("FROM scratch\nENV a=b\n");
  ASSERT_TRUE(out);
  EXPECT_FALSE(out->targets[0].root);
  EXPECT_TRUE(out->graph.vertices().empty());
}

TEST(Stages, TheLastOfTwoStagesWithOneNameIsCopiedFrom) {
  const auto out = testing_support::build(
      "FROM alpine AS x\nFROM busybox AS x\nFROM scratch\nCOPY --from=X /a /\n");
  ASSERT_TRUE(out) << out.error().message();
  EXPECT_THAT(out->graph.vertices()[0].meta.name, HasSubstr("busybox"));
}

TEST(Stages, SelfReferenceAndWrongIndexAreErrors) {
  EXPECT_FALSE(testing_support::build("FROM alpine\nCOPY --from=0 / /\n"));
  EXPECT_FALSE(testing_support::build("FROM alpine\nCOPY --from=3 / /\n"));
  EXPECT_FALSE(testing_support::build("FROM alpine AS a\nRUN --mount=from=a,target=/x true\n"));
}

TEST(Stages, AStageKeepsWhatItsParentDeclared) {
  const auto out = testing_support::build(
      "FROM alpine AS a\nARG A=1\nENV E=env\nARG E=arg\nCMD x\nFROM a\nENTRYPOINT [\"e\"]\nRUN "
      "y\n");
  ASSERT_TRUE(out) << out.error().message();
  const Target& target = out->targets[0];
  EXPECT_FALSE(target.config.cmd);
  EXPECT_EQ("RUN |2 A=1 E=env /bin/sh -c y # buildkit", target.config.history.back().created_by);
}

TEST(Stages, SiblingsDoNotSeeEachOther) {
  const auto out = testing_support::build(
      "FROM alpine AS base\nENV A=1\nFROM base AS l\nENV L=1\nRUN l\nFROM base AS r\nENV R=1\n"
      "COPY --from=l / /\nRUN r\n");
  ASSERT_TRUE(out) << out.error().message();
  EXPECT_THAT(out->targets[0].config.env, ElementsAre(HasSubstr("PATH="), "A=1", "R=1"));
}

TEST(Syntax, OursInAllItsNamesIsBuiltIn) {
  for (const char* image :
       {"docker/dockerfile", "docker/dockerfile:1", "docker.io/docker/dockerfile:1.7-labs",
        "docker/dockerfile-upstream:master", "docker/dockerfile:1 with arguments",
        "docker/dockerfile@sha256:"
        "ac85f380a63b13dfcefa89046420e1781752bab202122f8f50032edf31be0021"}) {
    EXPECT_TRUE(testing_support::build(fmt::format("#syntax={}\nFROM scratch\n", image))) << image;
  }
}

TEST(Syntax, ForeignOnesAreRefusedHoweverTheyAreWritten) {
  for (const char* head : {"# syntax=foo/bar\n", "//syntax=foo/bar\n", "#!/bin/sh\n#syntax=foo\n",
                           "# check=skip=all\n# Syntax = example.com/docker/dockerfile\n"}) {
    const auto out = testing_support::build(std::string(head) + "FROM scratch\n");
    ASSERT_FALSE(out) << head;
    EXPECT_EQ(ErrorKind::Unsupported, out.error().kind()) << head;
  }
  FrontendInput input = input_of("FROM scratch\n");
  input.build_args["BUILDKIT_SYNTAX"] = "foo/bar";
  FakeResolver resolver;
  EXPECT_FALSE(build_dockerfile(input, resolver));
}

}  // namespace
}  // namespace mybuild::frontend
