// SPDX-License-Identifier: Apache-2.0
#include "builder/sandbox/plan.h"

#include "builder/sandbox/mount_point_layer.h"
#include "builder/sandbox/plan_wire.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

#include <gtest/gtest.h>

#include <limits>

namespace mybuild::sandbox {
namespace {

SandboxPlan full_plan() {
  SandboxPlan plan;
  plan.root = {.type = snapshotter::RootMount::Type::Overlay,
               .lower = {"/l1", "/l2"},
               .upper = "/u",
               .work = "/w",
               .source = ""};
  plan.root_read_only = true;
  PlanMount bind;
  bind.target = "/cache";
  bind.source = "/host/cache";
  bind.recursive = false;
  bind.no_suid = bind.no_exec = true;
  PlanMount view;
  view.type = PlanMount::Type::Overlay;
  view.target = "/src";
  view.overlay.lower = {"/l1"};
  view.source_path = "/sub";
  view.read_only = true;
  PlanMount tmpfs;
  tmpfs.type = PlanMount::Type::Tmpfs;
  tmpfs.target = "/tmp";
  tmpfs.size = 1 << 20;
  PlanMount secret;
  secret.type = PlanMount::Type::File;
  secret.target = "/run/secrets/x";
  secret.fd = 3;
  secret.mode = 0440;
  secret.uid = 7;
  secret.gid = 8;
  PlanMount socket;
  socket.type = PlanMount::Type::Socket;
  socket.target = "/agent";
  socket.fd = 4;
  PlanMount node;
  node.type = PlanMount::Type::Device;
  node.target = "/dev/gpu";
  node.source = "/dev/card";
  node.device = 0xff;
  node.mode = 020666;
  plan.mounts = {bind, view, tmpfs, secret, socket, node};
  plan.secret_env = {{"TOKEN", 5}};
  plan.groups = {44};
  plan.argv = {"sh", "-c", "echo \xff\"\n"};
  plan.env = {"A=\xc3\xa4", "B=\x80"};
  plan.cwd = "/work";
  plan.user = "app:7";
  plan.hostname = "box";
  plan.network = Network::None;
  plan.hosts = "127.0.0.1 localhost\n";
  plan.resolv_conf = "nameserver 10.0.0.1\n";
  plan.shm_size = 1 << 26;
  plan.rlimits = {{"nofile", 1024, std::numeric_limits<std::uint64_t>::max()}};
  plan.insecure = plan.terminal = plan.batch = plan.init = true;
  return plan;
}

TEST(Plan, ComesBackFromJsonAsItWas) {
  const std::string text = dump(full_plan());
  const auto again = parse_plan(text);
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(dump(*again), text);
  EXPECT_EQ(again->argv[2], "echo \xff\"\n");
  EXPECT_EQ(again->env[1], "B=\x80");
  EXPECT_EQ(again->rlimits[0].hard, std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(again->mounts[3].fd, 3);
  EXPECT_FALSE(again->mounts[0].recursive);
  EXPECT_EQ(again->mounts[4].fd, 4);
  EXPECT_EQ(again->mounts[5].device, 0xffU);
  EXPECT_EQ(again->secret_env[0].fd, 5);
  EXPECT_EQ(again->groups, std::vector<gid_t>{44});
}

TEST(Plan, TravelsToTheHelperAsItIs) {
  const SandboxPlan plan = full_plan();
  const auto again = unpack(pack(plan));
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(dump(*again), dump(plan));
  EXPECT_EQ(pack(*again), pack(plan));
  EXPECT_EQ(again->mounts[5].device, 0xffU);
}

TEST(Plan, CutOffAnywhereIsNone) {
  const std::string bytes = pack(full_plan());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(unpack(std::string_view(bytes).substr(0, size))) << size;
  }
  EXPECT_FALSE(unpack(bytes + "x"));
  std::string huge = bytes;
  huge.replace(huge.find("mybuild-plan-1\n") + 15 + sizeof(int), 8, std::string(8, '\xff'));
  EXPECT_FALSE(unpack(huge));
}

TEST(Plan, ThatTheKernelWouldCutOffIsRefusedByTheHelper) {
  SandboxPlan plan = full_plan();
  plan.argv[2] = std::string("echo \0 x", 8);
  EXPECT_FALSE(unpack(pack(plan)));
  plan.argv.clear();
  EXPECT_EQ(unpack(pack(plan)).error().message(), "argv: the command is missing");
}

TEST(Plan, HasDefaultsForWhatIsMissing) {
  const auto plan = parse_plan(R"({"argv":["true"],"root":{"type":"bind","source":"/r"}})");
  ASSERT_TRUE(plan) << plan.error().message();
  EXPECT_EQ(plan->cwd, "/");
  EXPECT_EQ(plan->shm_size, std::uint64_t{64} << 20U);
  EXPECT_EQ(plan->network, Network::Host);
}

TEST(Plan, BadOnesNameTheirPlace) {
  const std::pair<const char*, const char*> cases[] = {
      {"{", "malformed"},
      {R"({"argv":[]})", "command is missing"},
      {R"({"argv":[1]})", "argv[0]"},
      {R"({"argv":["x"],"network":"bridge"})", "plan.network"},
      {R"({"argv":["x"],"mounts":[{"target":"a"}]})", "plan.mounts[0]"},
      {R"({"argv":["x\u0000y"]})", "argv[0]"},
      {R"({"argv":[{"hex":"abc"}]})", "argv[0].hex"},
      {R"({"argv":[{"hex":"zz"}]})", "argv[0].hex"},
  };
  for (const auto& [text, wanted] : cases) {
    const auto plan = parse_plan(text);
    ASSERT_FALSE(plan) << text;
    EXPECT_NE(plan.error().message().find(wanted), std::string::npos) << plan.error().message();
  }
}

TEST(MountPointLayer, HoldsAPlaceForEveryMountWhoseKindIsKnown) {
  auto dir = TempDir::create();
  ASSERT_TRUE(dir);
  ASSERT_TRUE(make_dirs(dir->path() + "/lower/sub"));
  ASSERT_TRUE(write_file(dir->path() + "/lower/file", "x"));
  ASSERT_TRUE(make_dirs(dir->path() + "/stubs"));
  SandboxPlan plan = full_plan();
  plan.mounts[0].source = dir->path() + "/lower/file";
  plan.mounts[1].overlay.lower = {dir->path() + "/lower"};
  const Status made = make_mount_point_layer(dir->path() + "/stubs", plan);
  ASSERT_TRUE(made) << made.error().message();
  const auto mode = [&](const std::string& name) {
    const auto info = sys::lstat_at(AT_FDCWD, dir->path() + "/stubs" + name);
    return info ? info->st_mode : 0U;
  };
  EXPECT_EQ(mode("/proc"), S_IFDIR | 0755U);
  EXPECT_EQ(mode("/dev"), S_IFDIR | 0755U);
  EXPECT_EQ(mode("/sys"), S_IFDIR | 0755U);
  EXPECT_EQ(mode("/etc/hosts"), S_IFREG | 0644U);
  EXPECT_EQ(mode("/etc/resolv.conf"), S_IFREG | 0644U);
  EXPECT_EQ(mode("/cache"), S_IFREG | 0644U);
  EXPECT_EQ(mode("/src"), S_IFDIR | 0755U);
  EXPECT_EQ(mode("/tmp"), S_IFDIR | 0755U);
  EXPECT_EQ(mode("/run/secrets/x"), S_IFREG | 0644U);
}

}  // namespace
TEST(MountPointLayers, StepsThatNeedTheSamePlacesShareALayer) {
  int made = 0;
  MountPointLayers layers([&made] {
    ++made;
    return TempDir::create();
  });
  SandboxPlan plan;
  const Result<std::string> first = layers.layer_for(plan);
  ASSERT_TRUE(first) << first.error().message();
  plan.argv = {"true"};
  const Result<std::string> same = layers.layer_for(plan);
  PlanMount mount;
  mount.type = PlanMount::Type::Tmpfs;
  mount.target = "/cache";
  plan.mounts.push_back(mount);
  const Result<std::string> other = layers.layer_for(plan);
  ASSERT_TRUE(same && other);
  EXPECT_EQ(*same, *first);
  EXPECT_NE(*other, *first);
  EXPECT_EQ(made, 2);
  EXPECT_TRUE(sys::exists_at(AT_FDCWD, *first + "/proc"));
  EXPECT_FALSE(sys::exists_at(AT_FDCWD, *first + "/cache"));
  EXPECT_TRUE(sys::exists_at(AT_FDCWD, *other + "/cache"));
}

}  // namespace mybuild::sandbox
