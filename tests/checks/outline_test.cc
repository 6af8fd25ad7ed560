// SPDX-License-Identifier: Apache-2.0
#include "tests/frontend/fake_resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::frontend::checks {
namespace {

using testing::ElementsAre;
using testing_support::FakeResolver;
using testing_support::input_of;

constexpr const char* kFile =
    "# GLOB the global\n"
    "ARG GLOB=1\n"
    "ARG DEP=2\n"
    "ARG IMG=busy${BOX}\n"
    "ARG UNUSED=0\n"
    "FROM busybox${DEP:+} AS dep\n"
    "ARG DEP\n"
    "RUN --mount=type=secret,id=s1,required --mount=type=secret,target=/x/s2 \\\n"
    "  --mount=type=ssh --mount=type=ssh,id=k,required --mount=type=cache,target=/c,id=cc true\n"
    "# out is the result\n"
    "FROM busybox AS out\n"
    "# LOC local thing\n"
    "ARG GLOB LOC=$PATH\n"
    "ARG TARGETARCH\n"
    "ARG NOVAL\n"
    "COPY --from=dep / /\n"
    "RUN --mount=type=secret,id=s1 true\n"
    "FROM busybox AS other\n"
    "ARG OTHER=1\n";

Outline outline_of(const std::string& target, std::map<std::string, std::string> args = {}) {
  FakeResolver resolver;
  FrontendInput input = input_of(kFile);
  input.target = target;
  input.build_args = std::move(args);
  return outline_dockerfile(input, resolver).value();
}

std::vector<std::string> args_of(const Outline& outline) {
  std::vector<std::string> out;
  for (const Outline::Argument& arg : outline.args) {
    out.push_back(arg.name + "=" + arg.value);
  }
  return out;
}

TEST(OutlineTest, ListsTheArgumentsThatTheTargetIsMadeOf) {
  const Outline outline = outline_of("out");
  EXPECT_EQ("out", outline.name);
  EXPECT_EQ("is the result", outline.description);
  EXPECT_THAT(
      args_of(outline),
      ElementsAre("GLOB=1", "DEP=2",
                  "LOC=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "NOVAL="));
  EXPECT_EQ("the global", outline.args[0].description);
  EXPECT_EQ("local thing", outline.args[2].description);
  EXPECT_EQ(13, outline.args[2].lines.first);
}

TEST(OutlineTest, ShowsTheValuesThatAreGiven) {
  EXPECT_THAT(args_of(outline_of("other", {{"OTHER", "9"}})), ElementsAre("OTHER=9"));
}

TEST(OutlineTest, ListsCredentialsAndCaches) {
  const Outline outline = outline_of("out");
  ASSERT_EQ(2U, outline.secrets.size());
  EXPECT_EQ("s2", outline.secrets[0].name);
  EXPECT_EQ("s1", outline.secrets[1].name);
  EXPECT_TRUE(outline.secrets[1].required);
  ASSERT_EQ(2U, outline.ssh.size());
  EXPECT_EQ("default", outline.ssh[0].name);
  EXPECT_TRUE(outline.ssh[1].required);
  ASSERT_EQ(1U, outline.caches.size());
  EXPECT_EQ("cc", outline.caches[0].id);
  EXPECT_TRUE(outline_of("other").secrets.empty());
}

TEST(OutlineTest, DoesWithoutABaseImageThatIsOutOfReach) {
  FakeResolver resolver;
  const auto outline = outline_dockerfile(
      input_of("FROM unreachable AS a\nARG X=1\nENV B=${NOT:?here}\nARG Y=2\n"), resolver);
  ASSERT_TRUE(outline) << outline.error().message();
  EXPECT_THAT(args_of(*outline), ElementsAre("X=1", "Y=2"));
}

TEST(Targets, NeedNoImage) {
  const TargetList list = list_targets(input_of(kFile)).value();
  ASSERT_EQ(3U, list.targets.size());
  EXPECT_EQ("is the result", list.targets[1].description);
  EXPECT_EQ("busybox", list.targets[1].base);
  EXPECT_TRUE(list.targets[2].is_default);
  EXPECT_EQ(18, list.targets[2].lines.first);
}

}  // namespace
}  // namespace mybuild::frontend::checks
