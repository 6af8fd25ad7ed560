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
  Result<std::unique_ptr<snapshotter::Active>> prepare(std::span<const std::string>,
                                                       const std::string&) override {
    return internal_error("a container is no step");
  }
  Result<std::string> finish(std::unique_ptr<snapshotter::Active>) override {
    return internal_error("a container's changes are no layer");
  }
  Result<snapshotter::RootMount> create_root(std::span<const std::string> layer_dirs,
                                             const std::string& scratch) override {
    TRY(write_file(join_path(scratch, "made"), ""));
    return reopen_root(layer_dirs, scratch);
  }
  Result<snapshotter::RootMount> reopen_root(std::span<const std::string> layer_dirs,
                                             const std::string& scratch) override {
    TRY(read_file(join_path(scratch, "made")));
    snapshotter::RootMount root;
    root.lower.assign(layer_dirs.begin(), layer_dirs.end());
    root.upper = scratch;
    return root;
  }
};

class ContainerTest : public testing::Test {
 protected:
  ContainerTest() {
    config_.cmd = {"program"};
    request_.auto_remove = true;
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
    ContainerDeps deps = deps_of(fake);
    return run_container({Digest::of("image"), config_, layer_dirs_}, request_, deps, cancel_);
  }

  Result<ContainerExit> start(const std::string& name, const FakeSandbox::Command& command,
                              bool interactive = false) {
    FakeSandbox fake(command);
    ContainerDeps deps = deps_of(fake);
    auto container = TRY(containers_->take(name));
    return start_container(std::move(container), layer_dirs_, interactive, deps, cancel_);
  }

  ContainerDeps deps_of(FakeSandbox& fake) {
    return {.sandbox = fake,
            .snapshotter = snapshotter_,
            .containers = *containers_,
            .volumes = *volumes_};
  }

  std::vector<std::string> left() const {
    const Fd fd = sys::open(path("containers"), O_RDONLY | O_DIRECTORY).value();
    std::vector<std::string> names = sys::list_dir(fd.get()).value();
    std::erase_if(names, [](const std::string& name) { return name.starts_with('.'); });
    return names;
  }

  TempDir dir_ = TempDir::create().value();
  FixedClock clock_{Time(std::chrono::seconds(1000))};
  std::unique_ptr<VolumeStore> volumes_ = make_volume_store(path("volumes"), path("trash"), clock_);
  std::unique_ptr<ContainerStore> containers_ = make_container_store(
      {.dir = path("containers"), .trash_dir = path("trash")}, *volumes_, clock_);
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
  request_.volumes = {{.source = path("new/source"), .target = "/v"}};
  ASSERT_TRUE(run([&](const SandboxPlan&, Stdio&, int) -> Result<SandboxExit> {
    EXPECT_TRUE(S_ISDIR(sys::stat_at(AT_FDCWD, path("new/source")).value().st_mode));
    return exited(0);
  }));
  EXPECT_TRUE(sys::exists_at(AT_FDCWD, path("new/source")));
}

TEST_F(ContainerTest, AVolumeOfTheImageIsADirectoryWithItsContents) {
  config_.volumes = {"/data", "/empty", "/covered"};
  ASSERT_TRUE(make_dirs(path("host")));
  request_.volumes = {{.source = path("host"), .target = "/covered"}};
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
    const auto all = containers_->list().value();
    EXPECT_EQ(all.size(), 1U);
    EXPECT_TRUE(all.at(0).running());
    EXPECT_EQ(all.at(0).record.name, "box");
    EXPECT_EQ(all.at(0).record.image, "image:v1");
    return exited(0);
  }));
}

TEST_F(ContainerTest, WithoutRmAStoppedContainerStaysAndStartsAgainAsItWas) {
  request_.auto_remove = false;
  request_.name = "box";
  request_.env = {"A=1"};
  request_.volumes = {
      {.kind = Volume::Kind::Named, .source = "vol", .target = "/data", .read_only = true}};
  std::vector<SandboxPlan> plans;
  const auto command = [&](const SandboxPlan& plan, Stdio&, int) -> Result<SandboxExit> {
    plans.push_back(plan);
    return exited(static_cast<int>(plans.size()));
  };
  EXPECT_EQ(run(command)->code, 1);
  EXPECT_EQ(containers_->find("box")->state.exit_code, 1);
  EXPECT_EQ(start("box", command)->code, 2);
  EXPECT_EQ(containers_->find("box")->state.exit_code, 2);
  ASSERT_EQ(plans.size(), 2U);
  EXPECT_EQ(sandbox::dump(plans[0]), sandbox::dump(plans[1]));
  EXPECT_TRUE(plans[0].root.durable);
  EXPECT_EQ(plans[0].mounts.at(0).source, volumes_->data_path("vol"));
  EXPECT_TRUE(plans[0].mounts.at(0).read_only);
}

TEST_F(ContainerTest, TheInputIsReadOnlyByAContainerThatWasMadeForIt) {
  request_.auto_remove = false;
  request_.name = "box";
  const auto reads_null = [](const SandboxPlan&, Stdio& stdio, int) -> Result<SandboxExit> {
    return exited(
        sys::readlink_at(AT_FDCWD, sys::proc_fd_path(stdio.in.get())).value() == "/dev/null" ? 1
                                                                                             : 0);
  };
  ASSERT_TRUE(run(reads_null));
  EXPECT_EQ(start("box", reads_null, true)->code, 1);
}

TEST_F(ContainerTest, AProgramThatCouldNotStartLeavesACreatedContainer) {
  request_.auto_remove = false;
  ASSERT_FALSE(run([](const SandboxPlan&, Stdio&, int) -> Result<SandboxExit> {
    return Error(ErrorKind::Denied, "no user namespaces here");
  }));
  const auto all = containers_->list().value();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].state.status, ContainerStatus::Created);
  EXPECT_EQ(all[0].state.error, "no user namespaces here");
}

TEST_F(ContainerTest, TheIdIsWrittenToANewFileOnly) {
  request_.id_file = path("id");
  std::string id;
  ASSERT_TRUE(run([&](const SandboxPlan&, Stdio&, int) -> Result<SandboxExit> {
    id = containers_->list()->at(0).record.id;
    return exited(0);
  }));
  EXPECT_EQ(read_file(path("id")).value_or(""), id);
  const auto again =
      run([](const SandboxPlan&, Stdio&, int) -> Result<SandboxExit> { return exited(0); });
  EXPECT_EQ(again.error().kind(), ErrorKind::AlreadyExists);
  request_.id_file = path("other");
  config_.volumes = {"/etc/x"};  // cannot be a volume
  EXPECT_FALSE(
      run([](const SandboxPlan&, Stdio&, int) -> Result<SandboxExit> { return exited(0); }));
  EXPECT_FALSE(sys::exists_at(AT_FDCWD, path("other")));
}

}  // namespace
}  // namespace mybuild::run
