// SPDX-License-Identifier: Apache-2.0
// run_container with a sandbox that is a function: what it is given, what comes back, what is left.
#include "builder/run/container.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"
#include "tests/support/fake_sandbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

namespace mybuild::run {
namespace {

using sandbox::SandboxExit;
using sandbox::SandboxPlan;
using sandbox::Stdio;
using testing::ElementsAre;
using testing::HasSubstr;
using testing_support::exited;
using testing_support::FakeSandbox;

/// A root that is the scratch directory itself.
class ScratchSnapshotter final : public snapshotter::Snapshotter {
 public:
  std::string_view name() const override { return "scratch"; }
  snapshotter::Capabilities capabilities() const override { return {}; }
  Result<std::unique_ptr<snapshotter::Active>> prepare(std::span<const std::string> layer_dirs,
                                                       const std::string& scratch) override {
    struct Root final : snapshotter::Active {
      snapshotter::RootMount mount;
      const snapshotter::RootMount& root() const override { return mount; }
    };
    auto root = std::make_unique<Root>();
    root->mount.type = snapshotter::RootMount::Type::Overlay;
    root->mount.lower.assign(layer_dirs.begin(), layer_dirs.end());
    root->mount.upper = scratch;
    return std::unique_ptr<snapshotter::Active>(std::move(root));
  }
  Result<std::string> finish(std::unique_ptr<snapshotter::Active>) override {
    return internal_error("a container's changes are not kept");
  }
};

class ContainerTest : public testing::Test {
 protected:
  ContainerTest() {
    config_.cmd = {"program"};
    make_layer("lower", {{"data/file", "from the image"}, {"etc/x", "x"}});
  }

  void make_layer(const std::string& name,
                  const std::vector<std::pair<std::string, std::string>>& files) {
    const std::string root = path(name);
    for (const auto& [file, text] : files) {
      const std::string full = join_path(root, file);
      ASSERT_TRUE(make_dirs(full.substr(0, full.rfind('/'))));
      ASSERT_TRUE(write_file(full, text));
    }
    layer_dirs_.push_back(root);
  }

  std::string path(const std::string& name) const { return join_path(dir_.path(), name); }

  Result<ContainerExit> run(const FakeSandbox::Command& command) {
    FakeSandbox fake(command);
    ContainerDeps deps{
        .sandbox = fake, .snapshotter = snapshotter_, .containers_dir = path("containers")};
    return run_container(config_, request_, layer_dirs_, deps, cancel_);
  }

  std::vector<std::string> left() const {
    const Fd fd = sys::open(path("containers"), O_RDONLY | O_DIRECTORY).value();
    std::vector<std::string> names = sys::list_dir(fd.get()).value();
    std::erase(names, ".gate");
    return names;
  }

  TempDir dir_ = TempDir::create().value();
  ScratchSnapshotter snapshotter_;
  oci::ImageConfig config_;
  RunRequest request_;
  std::vector<std::string> layer_dirs_;
  Cancel cancel_;
};

TEST_F(ContainerTest, TheSandboxGetsTheImagesRootAndANameForTheHost) {
  SandboxPlan seen;
  const auto ended = run([&](const SandboxPlan& plan, Stdio& stdio, int) -> Result<SandboxExit> {
    seen = plan;
    EXPECT_TRUE(stdio.in && stdio.out && stdio.err);
    EXPECT_TRUE(sys::exists_at(AT_FDCWD, plan.root.upper));
    return exited(0);
  });
  ASSERT_TRUE(ended) << ended.error().message();
  EXPECT_THAT(seen.root.lower, ElementsAre(path("lower")));
  EXPECT_EQ(seen.hostname.size(), 12U);
  EXPECT_THAT(seen.hosts, HasSubstr(seen.hostname));
  EXPECT_THAT(seen.argv, ElementsAre("program"));
  EXPECT_TRUE(left().empty());
}

TEST_F(ContainerTest, ExitCodesAreDockers) {
  const auto code = [this](SandboxExit how) {
    return run([&](const SandboxPlan&, Stdio&, int) -> Result<SandboxExit> { return how; })
        .value()
        .code;
  };
  EXPECT_EQ(code(exited(0)), 0);
  EXPECT_EQ(code(exited(3)), 3);
  EXPECT_EQ(code(exited(0, 15)), 143);
  SandboxExit missing;
  missing.not_found = true;
  EXPECT_EQ(code(missing), 127);
  SandboxExit text_file;
  text_file.not_executable = true;
  EXPECT_EQ(code(text_file), 126);
}

TEST_F(ContainerTest, AProgramThatCannotStartSaysWhy) {
  const auto ended = run([](const SandboxPlan&, Stdio&, int) -> Result<SandboxExit> {
    SandboxExit missing;
    missing.not_found = true;
    missing.start_error = "program: not found in PATH";
    return missing;
  });
  EXPECT_EQ(ended->start_error, "program: not found in PATH");
}

TEST_F(ContainerTest, AFailureOfTheSandboxLeavesNothing) {
  const auto ended = run([](const SandboxPlan&, Stdio&, int) -> Result<SandboxExit> {
    return Error(ErrorKind::Denied, "no user namespaces here");
  });
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().message(), "no user namespaces here");
  EXPECT_TRUE(left().empty());
}

TEST_F(ContainerTest, ABadRequestMakesNoContainer) {
  request_.workdir = "relative";
  const auto ended =
      run([](const SandboxPlan&, Stdio&, int) -> Result<SandboxExit> { return exited(0); });
  EXPECT_FALSE(ended);
  EXPECT_FALSE(sys::exists_at(AT_FDCWD, path("containers")));
}

TEST_F(ContainerTest, AMissingVolumeSourceBecomesADirectory) {
  request_.volumes = {{path("new/source"), "/v", false}};
  ASSERT_TRUE(run([&](const SandboxPlan&, Stdio&, int) -> Result<SandboxExit> {
    EXPECT_TRUE(S_ISDIR(sys::stat_at(AT_FDCWD, path("new/source")).value().st_mode));
    return exited(0);
  }));
  EXPECT_TRUE(sys::exists_at(AT_FDCWD, path("new/source")));
}

TEST_F(ContainerTest, AVolumeOfTheImageIsADirectoryWithItsContents) {
  config_.volumes = {"/data", "/empty", "/covered"};
  ASSERT_TRUE(make_dirs(path("host")));
  request_.volumes = {{path("host"), "/covered", false}};
  ASSERT_TRUE(sys::link_at(AT_FDCWD, path("lower/data/file"), AT_FDCWD, path("lower/data/hard")));
  ASSERT_TRUE(sys::symlink_at("file", AT_FDCWD, path("lower/data/soft")));
  ASSERT_TRUE(sys::fchmod_at(AT_FDCWD, path("lower/data"), 0750));
  const auto ended = run([&](const SandboxPlan& plan, Stdio&, int) -> Result<SandboxExit> {
    std::map<std::string, std::string> sources;
    for (const auto& mount : plan.mounts) {
      sources[mount.target] = mount.source;
    }
    EXPECT_EQ(sources.size(), 3U);
    EXPECT_EQ(sources["/covered"], path("host"));
    EXPECT_TRUE(S_ISDIR(sys::stat_at(AT_FDCWD, sources["/empty"]).value().st_mode));
    const std::string data = sources["/data"];
    EXPECT_NE(data, path("lower/data"));
    EXPECT_EQ(sys::stat_at(AT_FDCWD, data).value().st_mode & 07777U, 0750U);
    EXPECT_EQ(read_file(data + "/file").value_or(""), "from the image");
    EXPECT_EQ(sys::lstat_at(AT_FDCWD, data + "/hard").value().st_nlink, 2U);
    EXPECT_EQ(sys::readlink_at(AT_FDCWD, data + "/soft").value_or(""), "file");
    EXPECT_TRUE(write_file(data + "/file", "changed"));
    return exited(0);
  });
  ASSERT_TRUE(ended) << ended.error().message();
  EXPECT_EQ(read_file(path("lower/data/file")).value(), "from the image");
  EXPECT_TRUE(left().empty());
}

TEST_F(ContainerTest, AVolumeOverAFileIsRefused) {
  config_.volumes = {"/etc/x"};
  const auto ended =
      run([](const SandboxPlan&, Stdio&, int) -> Result<SandboxExit> { return exited(0); });
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().message(), "volume /etc/x: the image has a file there");
  EXPECT_TRUE(left().empty());
}

TEST_F(ContainerTest, ARunningContainerCanBeSeen) {
  request_.name = "box";
  request_.image = "image:v1";
  ASSERT_TRUE(run([&](const SandboxPlan&, Stdio&, int) -> Result<SandboxExit> {
    const auto running = running_containers(path("containers")).value();
    EXPECT_EQ(running.size(), 1U);
    EXPECT_EQ(running.at(0).name, "box");
    EXPECT_EQ(running.at(0).image, "image:v1");
    return exited(0);
  }));
}

}  // namespace
}  // namespace mybuild::run
