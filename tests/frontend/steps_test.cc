// SPDX-License-Identifier: Apache-2.0
// Instructions that are refused, and small facts of lowering that a golden case would bury.
#include "tests/frontend/fake_resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::frontend {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Refused : public testing::TestWithParam<const char*> {};

TEST_P(Refused, WithAPlaceInTheFile) {
  const auto out = testing_support::build(std::string("FROM alpine\n") + GetParam() + "\n");
  ASSERT_FALSE(out);
  ASSERT_NE(nullptr, out.error().location()) << out.error().message();
  EXPECT_EQ(2, out.error().location()->first_line);
}
INSTANTIATE_TEST_SUITE_P(
    Instructions, Refused,
    testing::Values("COPY a", "COPY", "COPY a <<E\nE", "ADD --from=x a b", "COPY --unpack a b",
                    "COPY --chmod=8 a b", "COPY --chmod=77777 a b", "COPY --chmod=u?x a b",
                    "COPY https://x/y.git z", "COPY git@x:y z", "ADD git://x z",
                    "ADD --checksum=sha256:x a b", "ADD --keep-git-dir=maybe https://x/y.git b",
                    "RUN --network=fast x", "RUN --security=no x", "RUN --mount=type=x y",
                    "RUN --mount=type=cache y", "RUN --mount=type=bind,target=/ y", "ENV =x",
                    "LABEL", "ARG", "ARG =x", "WORKDIR", "USER", "VOLUME [\"\"]", "VOLUME $NOTHING",
                    "EXPOSE", "EXPOSE x", "EXPOSE 80/icmp", "EXPOSE 70000", "EXPOSE 5-1",
                    "STOPSIGNAL SIGNOPE", "STOPSIGNAL 0", "SHELL /bin/sh", "HEALTHCHECK",
                    "HEALTHCHECK CMD", "HEALTHCHECK NONE x", "HEALTHCHECK EXEC x",
                    "HEALTHCHECK --interval=1us CMD x", "HEALTHCHECK --interval=1 CMD x",
                    "HEALTHCHECK --retries=-1 CMD x", "HEALTHCHECK --retries=x CMD x", "ONBUILD",
                    "ONBUILD FROM x", "ONBUILD ONBUILD RUN x", "ONBUILD MAINTAINER x", "FROM a b",
                    "FROM a AS 1x", "FROM --platform= x", "FROM --platform=a/b/c/d x", "FROM $NOPE",
                    "RUN --unknown x", "LABEL a='", "WORKDIR ${x", "NOPE x"));

const solver::ExecOp& last_exec(const FrontendOutput& out) {
  return std::get<solver::ExecOp>(out.graph.vertices().back().op);
}

TEST(Run, SeesProxyArgumentsInNoKey) {
  const auto build = [](const char* proxy) {
    FrontendInput input = testing_support::input_of("FROM alpine\nRUN x\n");
    input.build_args["http_proxy"] = proxy;
    testing_support::FakeResolver resolver;
    return build_dockerfile(input, resolver).value();
  };
  const FrontendOutput one = build("http://one");
  const FrontendOutput two = build("http://two");
  EXPECT_THAT(last_exec(one).proxy_env,
              ElementsAre("HTTP_PROXY=http://one", "http_proxy=http://one"));
  EXPECT_EQ(one.graph.vertices().back().id, two.graph.vertices().back().id);
}

TEST(Run, TheNamespaceOfCachesGoesInFrontOfTheirNames) {
  FrontendInput input =
      testing_support::input_of("FROM alpine\nRUN --mount=type=cache,target=/c/ x\n");
  input.build_args["BUILDKIT_CACHE_MOUNT_NS"] = "team";
  testing_support::FakeResolver resolver;
  const auto out = build_dockerfile(input, resolver).value();
  EXPECT_EQ("team//c", std::get<solver::CacheMount>(last_exec(out).mounts[0].kind).id);
}

TEST(Run, ASecretsPlaceIsTheRootAndItsNameFollowsFromTheTarget) {
  const auto out = testing_support::build(
      "FROM alpine\nWORKDIR /w\nRUN --mount=type=secret,target=etc/token --mount=type=ssh,id=k "
      "x\n");
  ASSERT_TRUE(out) << out.error().message();
  const auto& mounts = last_exec(*out).mounts;
  EXPECT_EQ("/etc/token", mounts[0].target);
  EXPECT_EQ("token", std::get<solver::SecretMount>(mounts[0].kind).id);
  EXPECT_THAT(last_exec(*out).env, testing::Contains("SSH_AUTH_SOCK=/run/buildkit/ssh_agent.0"));
}

TEST(Run, NothingIsMountedOverTheRoot) {
  for (const std::string mount : {"secret,id=x", "ssh", "tmpfs", "cache", "bind"}) {
    const auto out =
        testing_support::build("FROM alpine\nRUN --mount=type=" + mount + ",target=/ x\n");
    ASSERT_FALSE(out) << mount;
    EXPECT_EQ(out.error().message(), "invalid mount target \"/\"") << mount;
  }
}

TEST(Run, UsersVariablesCanReachMountsButNotTheCommand) {
  const auto out = testing_support::build(
      "FROM alpine\nARG D=/d\nRUN --mount=type=tmpfs,target=$D/x [\"echo\", \"$D\"]\n");
  ASSERT_TRUE(out) << out.error().message();
  EXPECT_EQ("/d/x", last_exec(*out).mounts[0].target);
  EXPECT_THAT(last_exec(*out).args, ElementsAre("echo", "$D"));
}

TEST(Copy, FromAStageWithoutATreeCopiesFromAnEmptyOne) {
  const auto out = testing_support::build("FROM scratch AS e\nFROM alpine\nCOPY --from=e / /x\n");
  ASSERT_TRUE(out) << out.error().message();
  const auto& vertex = out->graph.vertices().back();
  ASSERT_EQ(2U, vertex.inputs.size());
  EXPECT_TRUE(std::get<solver::FileOp>(out->graph.at(vertex.inputs[1]).op).actions.empty());
}

TEST(Copy, AHeredocsNameIsNoPattern) {
  const auto out = testing_support::build("FROM alpine\nCOPY <<\"a*b\" /x/\nhi\na*b\n");
  ASSERT_TRUE(out) << out.error().message();
  const auto& op = std::get<solver::FileOp>(out->graph.vertices().back().op);
  EXPECT_THAT(std::get<solver::CopyAction>(op.actions[0]).sources, ElementsAre("/a[*]b"));
}

TEST(Warnings, ABuildSaysOnceWhatIsWrongWithALine) {
  testing_support::FakeResolver resolver;
  checks::Linter linter;
  const FrontendInput input =
      testing_support::input_of("FROM alpine\nENV NAME=1\nCOPY $NMAE $NMAE /x/\nLABEL a=$NMAE\n");
  ASSERT_TRUE(build_dockerfile(input, resolver, linter));
  EXPECT_EQ(3U, linter.findings().size());
  const auto warnings = warnings_of(linter.findings());
  ASSERT_EQ(2U, warnings.size());
  EXPECT_EQ("UndefinedVar: Usage of undefined variable '$NMAE' (did you mean $NAME?)",
            warnings[0].message);
}

}  // namespace
}  // namespace mybuild::frontend
