// SPDX-License-Identifier: Apache-2.0
#include "builder/run/container.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdlib.h>

#include <functional>

namespace mybuild::run {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using Words = std::vector<std::string>;

struct ArgvCase {
  const char* what;
  std::optional<Words> entrypoint;  // of the image
  std::optional<Words> cmd;
  std::optional<std::string> flag;  // --entrypoint
  Words args;
  Words argv;  // none: refused
};

TEST(ContainerPlan, TheCommandFollowsDockersRules) {
  const ArgvCase cases[] = {
      {"CMD alone", {}, Words{"c", "1"}, {}, {}, {"c", "1"}},
      {"arguments replace CMD", {}, Words{"c"}, {}, {"a", "b"}, {"a", "b"}},
      {"CMD follows ENTRYPOINT", Words{"e"}, Words{"c"}, {}, {}, {"e", "c"}},
      {"arguments follow ENTRYPOINT", Words{"e", "1"}, Words{"c"}, {}, {"a"}, {"e", "1", "a"}},
      {"the flag drops CMD", Words{"e"}, Words{"c"}, "f", {}, {"f"}},
      {"the flag keeps arguments", Words{"e"}, Words{"c"}, "f", {"a"}, {"f", "a"}},
      {"an empty flag leaves the arguments", Words{"e"}, Words{"c"}, "", {"a"}, {"a"}},
      {"an empty flag drops CMD too", Words{"e"}, Words{"c"}, "", {}, {}},
      {"nothing to run", {}, {}, {}, {}, {}},
  };
  for (const ArgvCase& test : cases) {
    oci::ImageConfig config;
    config.entrypoint = test.entrypoint;
    config.cmd = test.cmd;
    RunRequest request;
    request.entrypoint = test.flag;
    request.args = test.args;
    const auto plan = make_container_plan(config, request);
    ASSERT_EQ(plan.has_value(), !test.argv.empty()) << test.what;
    if (plan) {
      EXPECT_EQ(plan->argv, test.argv) << test.what;
    } else {
      EXPECT_EQ(plan.error().message(), "no command specified");
    }
  }
}

sandbox::SandboxPlan plan_of(const RunRequest& request, oci::ImageConfig config = {}) {
  config.cmd = {"sh"};
  return make_container_plan(config, request).value();
}

TEST(ContainerPlan, TheEnvironmentIsDefaultsThenImageThenRequest) {
  oci::ImageConfig config;
  config.env = {"PATH=/image", "A=image", "B=image", "UNSET=image"};
  RunRequest request;
  request.hostname = "host";
  request.terminal = true;
  ::setenv("FROM_OURS", "ours", 1);
  ::unsetenv("UNSET");
  request.env = {"B=request", "FROM_OURS", "UNSET", "EMPTY="};
  EXPECT_THAT(plan_of(request, config).env,
              ElementsAre("PATH=/image", "HOSTNAME=host", "TERM=xterm", "A=image", "B=request",
                          "FROM_OURS=ours", "EMPTY="));
}

TEST(ContainerPlan, PathHasADefaultAndTermComesWithATerminal) {
  EXPECT_THAT(plan_of({}).env,
              ElementsAre("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"));
}

TEST(ContainerPlan, UserAndDirectoryComeFromTheImageUnlessAskedFor) {
  oci::ImageConfig config;
  config.user = "app";
  config.working_dir = "work/../dir/";
  EXPECT_EQ(plan_of({}, config).user, "app");
  EXPECT_EQ(plan_of({}, config).cwd, "/dir");
  EXPECT_EQ(plan_of({}).cwd, "/");
  RunRequest request;
  request.user = "1:2";
  request.workdir = "/other";
  EXPECT_EQ(plan_of(request, config).user, "1:2");
  EXPECT_EQ(plan_of(request, config).cwd, "/other");
}

TEST(ContainerPlan, TheHostsFileKnowsTheContainer) {
  RunRequest request;
  request.hostname = "box";
  EXPECT_THAT(plan_of(request).hosts, StartsWith("127.0.0.1\tlocalhost box\n::1\tlocalhost"));
  EXPECT_EQ(plan_of(request).hostname, "box");
}

TEST(ContainerPlan, VolumesAreBindsWithParentsFirst) {
  RunRequest request;
  request.volumes = {{.source = "/host/b", .target = "/data/sub/"},
                     {.source = "/host/../a", .target = "/data", .read_only = true}};
  const auto mounts = plan_of(request).mounts;
  ASSERT_EQ(mounts.size(), 2U);
  EXPECT_EQ(mounts[0].target, "/data");
  EXPECT_EQ(mounts[0].source, "/a");
  EXPECT_TRUE(mounts[0].read_only);
  EXPECT_EQ(mounts[1].target, "/data/sub");
  EXPECT_EQ(mounts[1].type, sandbox::PlanMount::Type::Bind);
}

TEST(ContainerPlan, BadRequestsAreRefusedByName) {
  struct Case {
    std::function<void(RunRequest&)> spoil;
    const char* message;
  };
  const Case cases[] = {
      {[](RunRequest& r) { r.workdir = "here"; }, "here is not an absolute path"},
      {[](RunRequest& r) { r.env = {"=x"}; }, "invalid environment variable: \"=x\""},
      {[](RunRequest& r) { r.volumes = {{.source = "name", .target = "/x"}}; }, "must be absolute"},
      {[](RunRequest& r) { r.volumes = {{.source = "/x", .target = "x"}}; }, "must be absolute"},
      {[](RunRequest& r) { r.volumes = {{.source = "/x", .target = "//"}}; }, "cannot be /"},
      {[](RunRequest& r) {
         r.volumes = {{.source = "/x", .target = "/d"}, {.source = "/y", .target = "/d/"}};
       },
       "duplicate mount point: /d"},
      {[](RunRequest& r) { r.hostname = "a\nb"; }, "invalid hostname"},
      {[](RunRequest& r) { r.hostname = std::string(65, 'h'); }, "invalid hostname"},
  };
  for (const Case& test : cases) {
    RunRequest request;
    request.args = {"sh"};
    test.spoil(request);
    const auto plan = make_container_plan({}, request);
    ASSERT_FALSE(plan) << test.message;
    EXPECT_EQ(plan.error().kind(), ErrorKind::InvalidArgument);
    EXPECT_THAT(plan.error().message(), HasSubstr(test.message));
  }
}

}  // namespace
}  // namespace mybuild::run
