// SPDX-License-Identifier: Apache-2.0
// run_container with the real sandbox and driver: a busybox image runs, and is gone.
#include "builder/run/container.h"
#include "builder/run/foreground.h"
#include "builder/run/terminal.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <thread>

namespace mybuild::run {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class SandboxRun : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) {
      GTEST_SKIP() << "CAP_SYS_ADMIN is missing: run as root";
    }
    if (::access("/bin/busybox", X_OK) != 0) {
      GTEST_SKIP() << "/bin/busybox is missing: install busybox-static";
    }
    auto snapshotter = snapshotter::choose_snapshotter(
        dir_.path(), [](const std::string&) -> Result<std::string> { return std::string(); });
    if (!snapshotter) {
      GTEST_SKIP() << snapshotter.error().message();
    }
    snapshotter_ = std::move(*snapshotter);
    sandbox_ = sandbox::make_sandbox(std::string(MYBUILD_BINARY_DIR) + "/bin/mybuild-sandbox");
    ASSERT_TRUE(make_dirs(path("image/bin")));
    ASSERT_TRUE(make_dirs(path("image/data")));
    ASSERT_TRUE(write_file(path("image/bin/busybox"), read_file("/bin/busybox").value(), 0755));
    for (const char* tool : {"sh", "cat", "ls", "sleep", "tty", "stty", "hostname", "wc"}) {
      ASSERT_TRUE(sys::symlink_at("busybox", AT_FDCWD, path("image/bin/" + std::string(tool))));
    }
    ASSERT_TRUE(write_file(path("image/data/file"), "from the image\n"));
    ASSERT_TRUE(write_file(path("image/text"), "no program\n"));
    ASSERT_TRUE(make_dirs(path("out")));
    request_.volumes = {{.source = path("out"), .target = "/out"}};
    request_.network = sandbox::Network::None;
    request_.auto_remove = true;
  }

  std::string path(const std::string& name) const { return join_path(dir_.path(), name); }

  Result<ContainerExit> run(const std::vector<std::string>& args) {
    request_.args = args;
    ContainerDeps deps = all_deps();
    return run_container({Digest::of("image"), config_, {path("image")}}, request_, deps, cancel_);
  }
  ContainerDeps all_deps() {
    return {.sandbox = *sandbox_,
            .snapshotter = *snapshotter_,
            .containers = *containers_,
            .volumes = *volumes_};
  }
  std::vector<std::string> left() const {
    const Fd containers = sys::open(path("containers"), O_RDONLY | O_DIRECTORY).value();
    std::vector<std::string> names = sys::list_dir(containers.get()).value();
    std::erase_if(names, [](const std::string& name) { return name.starts_with('.'); });
    return names;
  }
  /// The script prints into a file of the volume.
  std::string output_of(const std::string& script) {
    const auto ended = run({"sh", "-c", "{ " + script + "; } >/out/log 2>&1"});
    EXPECT_TRUE(ended) << ended.error().message();
    EXPECT_EQ(ended.value_or(ContainerExit{}).code, 0) << ended->start_error;
    return read_file(path("out/log")).value_or("");
  }

  TempDir dir_ = TempDir::create().value();
  SystemClock clock_;
  std::unique_ptr<VolumeStore> volumes_ = make_volume_store(path("volumes"), path("trash"), clock_);
  std::unique_ptr<ContainerStore> containers_ = make_container_store(
      {.dir = path("containers"), .trash_dir = path("trash")}, *volumes_, clock_);
  std::unique_ptr<sandbox::Sandbox> sandbox_;
  std::unique_ptr<snapshotter::Snapshotter> snapshotter_;
  oci::ImageConfig config_;
  RunRequest request_;
  Cancel cancel_;
};

TEST_F(SandboxRun, AProgramRunsAndItsFilesAreGoneAfterwards) {
  EXPECT_EQ(output_of("echo hello; echo x >/new; cat /new"), "hello\nx\n");
  EXPECT_THAT(output_of("ls /new || true"), HasSubstr("No such file"));
  EXPECT_FALSE(sys::exists_at(AT_FDCWD, path("image/new")));
  EXPECT_THAT(left(), testing::IsEmpty());
}

TEST_F(SandboxRun, AStoppedContainerStartsAgainWithItsFiles) {
  request_.auto_remove = false;
  request_.name = "box";
  EXPECT_EQ(output_of("echo run >>/file; wc -l </file"), "1\n");
  ContainerDeps deps = all_deps();
  auto container = containers_->take("box").value();
  const auto again = start_container(std::move(container), {path("image")}, false, deps, cancel_);
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(read_file(path("out/log")).value_or(""), "2\n");
  EXPECT_TRUE(containers_->remove("box", {}));
  EXPECT_THAT(left(), testing::IsEmpty());
}

TEST_F(SandboxRun, ARunningContainerIsStoppedByItsName) {
  request_.name = "box";
  std::thread stopper([this] {
    while (!sys::exists_at(AT_FDCWD, path("out/ready"))) {
      ::usleep(10000);
    }
    EXPECT_TRUE(containers_->stop("box", SIGTERM, std::chrono::seconds(20)));
    EXPECT_THAT(left(), testing::IsEmpty());
  });
  const auto ended =
      run({"sh", "-c", "trap 'exit 9' TERM; echo >/out/ready; while :; do sleep 0.02; done"});
  stopper.join();
  EXPECT_EQ(ended->code, 9);
}

TEST_F(SandboxRun, ExitCodesAreDockers) {
  EXPECT_EQ(run({"sh", "-c", "exit 7"})->code, 7);
  EXPECT_EQ(run({"sh", "-c", "sh -c 'kill -TERM $$'; exit $?"})->code, 143);
  EXPECT_EQ(run({"missing"})->code, 127);
  EXPECT_EQ(run({"/text"})->code, 126);
  EXPECT_THAT(run({"/text"})->start_error, HasSubstr("/text"));
}

TEST_F(SandboxRun, TheHostNameIsInTheHostsFile) {
  request_.hostname = "box";
  EXPECT_THAT(output_of("hostname; echo $HOSTNAME; cat /etc/hosts"),
              HasSubstr("box\nbox\n127.0.0.1\tlocalhost box\n"));
}

TEST_F(SandboxRun, AVolumeOfTheImageCanBeWrittenAndTheImageKeepsItsOwn) {
  config_.volumes = {"/data"};
  EXPECT_EQ(output_of("cat /data/file; echo new >/data/file; cat /data/file"),
            "from the image\nnew\n");
  EXPECT_EQ(read_file(path("image/data/file")).value(), "from the image\n");
}

TEST_F(SandboxRun, ASignalReachesTheProgram) {
  std::thread killer([this] {
    while (!sys::exists_at(AT_FDCWD, path("out/ready"))) {
      ::usleep(10000);
    }
    ::kill(::getpid(), SIGUSR1);
  });
  const auto ended =
      run({"sh", "-c", "trap 'exit 9' USR1; echo >/out/ready; while :; do sleep 0.02; done"});
  killer.join();
  EXPECT_EQ(ended->code, 9);
}

TEST_F(SandboxRun, WhoeverInsistsEndsAProgramThatIgnoresThem) {
  std::thread killer([this] {
    while (!sys::exists_at(AT_FDCWD, path("out/ready"))) {
      ::usleep(10000);
    }
    for (int i = 0; i < 3; ++i) {
      ::kill(::getpid(), SIGTERM);
      ::usleep(20000);
    }
  });
  const auto ended = run({"sh", "-c", "trap '' TERM; echo >/out/ready; while :; do sleep 1; done"});
  killer.join();
  EXPECT_EQ(ended->code, 137);
}

TEST_F(SandboxRun, ATerminalOfItsOwnHasANameAndASize) {
  PseudoTerminal screen = open_pseudo_terminal().value();
  struct winsize size {};
  size.ws_row = 25;
  size.ws_col = 81;
  ASSERT_EQ(::ioctl(screen.slave.get(), TIOCSWINSZ, &size), 0);
  const auto foreground = Foreground::start({.interactive = true,
                                             .terminal = true,
                                             .in = screen.slave.get(),
                                             .out = screen.slave.get(),
                                             .err = screen.slave.get()})
                              .value();
  request_.terminal = true;
  request_.args = {"sh", "-c",
                   "tty >/out/log && stty size >>/out/log; read line; echo $line >>/out/log"};
  auto plan = make_container_plan(config_, request_).value();
  ASSERT_TRUE(make_dirs(path("fs")));
  const std::string dirs[] = {path("image")};
  const auto active = snapshotter_->prepare(dirs, path("fs")).value();
  plan.root = active->root();
  ASSERT_TRUE(sys::write_all(screen.master.get(), as_bytes("typed\r")));
  const auto ended =
      sandbox_->run(plan, foreground->take_stdio(), cancel_, {}, foreground->signals());
  ASSERT_TRUE(ended) << ended.error().message();
  EXPECT_THAT(read_file(path("out/log")).value_or(""),
              testing::MatchesRegex("/dev/.*\n25 81\ntyped\n"));
}

TEST_F(SandboxRun, ACancelledRunEndsAndLeavesNothing) {
  std::thread stopper([this] {
    while (!sys::exists_at(AT_FDCWD, path("out/ready"))) {
      ::usleep(10000);
    }
    cancel_.request(Error(ErrorKind::Cancelled, "enough"));
  });
  const auto ended = run({"sh", "-c", "echo >/out/ready; sleep 100"});
  stopper.join();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind(), ErrorKind::Cancelled);
  EXPECT_THAT(left(), testing::IsEmpty());
}

}  // namespace
}  // namespace mybuild::run
