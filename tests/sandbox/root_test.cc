// SPDX-License-Identifier: Apache-2.0
// The file tree a step sees, and what it leaves in its own layer.
#include "builder/sandbox/mount_point_layer.h"
#include "snapshotter/base/sys.h"
#include "tests/sandbox/fixture.h"

#include <sys/mount.h>
#include <sys/socket.h>

#include <algorithm>

namespace mybuild::sandbox {
namespace {

class Root : public SandboxTest {
 protected:
  /// Everything below a directory, one path a line.
  std::string tree(const std::string& directory) {
    std::string text;
    const auto fd = sys::open(directory, O_RDONLY | O_DIRECTORY);
    const auto names = sys::list_dir(fd->get());
    for (const std::string& name : *names) {
      const std::string inner = directory + "/" + name;
      text += inner.substr(upper().size()) + "\n";
      if (S_ISDIR(sys::lstat_at(AT_FDCWD, inner)->st_mode)) {
        text += tree(inner);
      }
    }
    return text;
  }
  std::string changes() { return tree(upper()); }
};

TEST_F(Root, WhatAStepWritesIsItsLayer) {
  output_of("echo hi > /file; mkdir -p /d/e; rm /bin/true");
  EXPECT_EQ(changes(), "/bin\n/bin/true\n/d\n/d/e\n/file\n");
  const auto gone = sys::lstat_at(AT_FDCWD, upper() + "/bin/true");
  EXPECT_TRUE(S_ISCHR(gone->st_mode) && gone->st_rdev == 0);
}

TEST_F(Root, MountPointsLeaveNoTrace) {
  SandboxPlan plan = shell_plan("cat /etc/hosts /etc/resolv.conf; ls -d /proc /sys /dev/shm");
  plan.hosts = "127.0.0.1 here\n";
  plan.resolv_conf = "nameserver 9.9.9.9\n";
  PlanMount mount;
  mount.type = PlanMount::Type::Tmpfs;
  mount.target = "/deep/down/here";
  plan.mounts = {mount};
  EXPECT_EQ(output_of(plan), "127.0.0.1 here\nnameserver 9.9.9.9\n/dev/shm\n/proc\n/sys\n");
  EXPECT_EQ(changes(), "");
}

TEST_F(Root, ParentsOfMountPointsKeepTheirTimes) {
  put("base/etc/passwd", "root:x:0:0::/:\n");
  ASSERT_TRUE(sys::set_times_at(AT_FDCWD, base() + "/etc", {1000, 5}));
  SandboxPlan plan = shell_plan("stat -c %Y /etc");
  plan.hosts = "x\n";
  EXPECT_EQ(output_of(plan), "1000\n");
  EXPECT_EQ(changes(), "");
}

TEST_F(Root, WhatAStepPutsBesideAMountPointStays) {
  put("base/etc/passwd", "root:x:0:0::/:\n");
  SandboxPlan plan = shell_plan("echo 1 > /etc/mine; chmod 700 /etc; touch -d @77 /etc");
  plan.hosts = "x\n";
  output_of(plan);
  EXPECT_EQ(changes(), "/etc\n/etc/mine\n");
  const auto etc = sys::lstat_at(AT_FDCWD, upper() + "/etc");
  EXPECT_EQ(etc->st_mode & 07777U, 0700U);
  EXPECT_EQ(etc->st_mtim.tv_sec, 77);
}

TEST_F(Root, AChangedDirectoryWithoutFilesStays) {
  make_dir("base/etc");
  SandboxPlan plan = shell_plan("chmod 700 /etc");
  plan.hosts = "x\n";
  output_of(plan);
  EXPECT_EQ(changes(), "/etc\n");
}

TEST_F(Root, LinksOfTheImageAreFollowedInsideIt) {
  make_dir("base/etc");
  ASSERT_TRUE(sys::symlink_at("../run/resolve/stub.conf", AT_FDCWD, base() + "/etc/resolv.conf"));
  ASSERT_TRUE(sys::symlink_at("/../../../../elsewhere", AT_FDCWD, base() + "/link"));
  SandboxPlan plan = shell_plan("cat /etc/resolv.conf; touch /link/x; ls /elsewhere");
  plan.resolv_conf = "nameserver 1.2.3.4\n";
  PlanMount mount;
  mount.type = PlanMount::Type::Tmpfs;
  mount.target = "/link";
  plan.mounts = {mount};
  EXPECT_EQ(output_of(plan), "nameserver 1.2.3.4\nx\n");
  EXPECT_EQ(changes(), "");
}

TEST_F(Root, ALoopOfLinksIsAnErrorOfTheMountOnly) {
  make_dir("base/etc");
  ASSERT_TRUE(sys::symlink_at("hosts", AT_FDCWD, base() + "/etc/hosts"));
  SandboxPlan plan = shell_plan("echo fine");
  plan.hosts = "x\n";
  EXPECT_EQ(output_of(plan), "fine\n");
  PlanMount mount;
  mount.type = PlanMount::Type::Tmpfs;
  mount.target = "/etc/hosts/x";
  plan = shell_plan("true");
  plan.mounts = {mount};
  EXPECT_FALSE(run(plan).exit);
}

TEST_F(Root, AMountOverTheRootIsRefusedAsItWouldLeaveTheHostsRootAbove) {
  ASSERT_TRUE(sys::symlink_at("/", AT_FDCWD, base() + "/link"));
  SandboxPlan plan = shell_plan("ls /..");
  PlanMount mount;
  mount.type = PlanMount::Type::Tmpfs;
  mount.target = "/link";
  plan.mounts = {mount};
  const Ran ran = run(plan);
  ASSERT_FALSE(ran.exit) << ran.out;
  EXPECT_NE(ran.exit.error().message().find("leads to the root itself"), std::string::npos);
  ASSERT_TRUE(sys::symlink_at("/", AT_FDCWD, base() + "/proc"));
  EXPECT_FALSE(run(shell_plan("ls /..")).exit) << "an image may bring such a link, too";
}

TEST_F(Root, NothingIsAboveTheRoot) {
  run_two_steps();
  EXPECT_EQ(output_of("ls /"), output_of("ls /.."));
}

TEST_F(Root, NetworkFilesCannotBeChanged) {
  SandboxPlan plan = shell_plan("echo evil >> /etc/hosts || echo refused");
  plan.hosts = "x\n";
  EXPECT_EQ(output_of(plan), "refused\n");
}

TEST_F(Root, AStubLayerServesAndWritesIntoItAreRight) {
  SandboxPlan plan =
      shell_plan("echo 1 > /etc/mine; mkdir /run/secrets/more; stat -c '%a %u %g' /etc");
  plan.hosts = "x\n";
  PlanMount secret;
  secret.type = PlanMount::Type::File;
  secret.target = "/run/secrets/key";
  secret.content = "s";
  plan.mounts = {secret};
  const std::string stubs = make_dir("stubs");
  ASSERT_TRUE(make_mount_point_layer(stubs, plan));
  plan.root.lower.insert(plan.root.lower.begin(), stubs);
  EXPECT_EQ(output_of(plan), "755 0 0\n");
  EXPECT_EQ(changes(), "/etc\n/etc/mine\n/run\n/run/secrets\n/run/secrets/more\n");
  const auto etc = sys::lstat_at(AT_FDCWD, upper() + "/etc");
  EXPECT_EQ(etc->st_mode, S_IFDIR | 0755U);
}

TEST_F(Root, ASecretIsAFileInMemoryWithItsOwner) {
  auto memory = sys::memfd("secret");
  ASSERT_TRUE(memory && sys::write_all(memory->get(), as_bytes("hunter2")));
  ASSERT_EQ(::lseek(memory->get(), 0, SEEK_SET), 0);
  SandboxPlan plan = shell_plan(
      "stat -c '%a %u %g' /run/secrets/pw; cat /run/secrets/pw; "
      "echo x > /run/secrets/pw || echo no");
  PlanMount secret;
  secret.type = PlanMount::Type::File;
  secret.target = "/run/secrets/pw";
  secret.fd = 3;
  secret.mode = 0440;
  secret.uid = 11;
  secret.gid = 12;
  plan.mounts = {secret};
  const Ran ran = run(plan, {memory->get()});
  ASSERT_TRUE(ran.exit) << ran.exit.error().message();
  EXPECT_EQ(ran.out, "440 11 12\nhunter2no\n");
  EXPECT_EQ(changes(), "");
}

TEST_F(Root, AFileIsNotMountedOnADirectory) {
  SandboxPlan plan = shell_plan("true");
  PlanMount file;
  file.type = PlanMount::Type::File;
  file.target = "/bin";
  file.content = "x";
  plan.mounts = {file};
  const Ran ran = run(plan);
  ASSERT_FALSE(ran.exit);
  EXPECT_EQ(ran.exit.error().message(), "/bin: is a directory, and a file is to be mounted there");
}

TEST_F(Root, ASecretVariableReplacesAnotherAndServesManyTimes) {
  auto memory = sys::memfd("secret");
  ASSERT_TRUE(memory && sys::write_all(memory->get(), as_bytes("hunter2\nsecond line")));
  SandboxPlan plan = shell_plan("echo \"$A+$B\"; cat /pw; cat /proc/self/environ | grep -c old");
  plan.env.insert(plan.env.end(), {"A=old", "AB=x"});
  plan.secret_env = {{"A", 3}, {"B", 3}};
  PlanMount file;
  file.type = PlanMount::Type::File;
  file.target = "/pw";
  file.fd = 3;
  plan.mounts = {file};
  const Ran ran = run(plan, {memory->get()});
  ASSERT_TRUE(ran.exit) << ran.exit.error().message();
  EXPECT_EQ(ran.out, "hunter2\nsecond line+hunter2\nsecond line\nhunter2\nsecond line0\n");
}

TEST_F(Root, ASocketThatIsPassedListensInsideAndNowhereElse) {
  const Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  SandboxPlan plan = shell_plan("stat -c '%F %a %u %g' /run/agent");
  PlanMount agent;
  agent.type = PlanMount::Type::Socket;
  agent.target = "/run/agent";
  agent.fd = 3;
  agent.mode = 0620;
  agent.uid = 11;
  agent.gid = 12;
  plan.mounts = {agent};
  const Ran ran = run(plan, {socket.get()});
  ASSERT_TRUE(ran.exit) << ran.exit.error().message();
  EXPECT_EQ(ran.out, "socket 620 11 12\n");
  EXPECT_EQ(changes(), "");
  int listens = 0;
  socklen_t size = sizeof listens;
  ASSERT_EQ(::getsockopt(socket.get(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &size), 0);
  EXPECT_EQ(listens, 1);
}

TEST_F(Root, BindsShowTheHostsFilesReadOnlyIfWanted) {
  put("share/a", "A\n");
  SandboxPlan plan = shell_plan("cat /mnt/a; echo B > /mnt/b; echo C > /ro/c || echo refused");
  PlanMount mount;
  mount.source = path("share");
  mount.target = "/mnt";
  PlanMount read_only = mount;
  read_only.target = "/ro";
  read_only.read_only = true;
  plan.mounts = {mount, read_only};
  EXPECT_EQ(output_of(plan), "A\nrefused\n");
  EXPECT_EQ(read_file(path("share/b")).value(), "B\n");
}

TEST_F(Root, AMissingSourceIsNamed) {
  SandboxPlan plan = shell_plan("true");
  PlanMount mount;
  mount.source = "/no/such/source";
  mount.target = "/mnt";
  plan.mounts = {mount};
  const Ran ran = run(plan);
  ASSERT_FALSE(ran.exit);
  EXPECT_NE(ran.exit.error().message().find("/no/such/source"), std::string::npos)
      << ran.exit.error().message();
}

TEST_F(Root, StagesAppearThroughOverlays) {
  put("s1/dir/one", "1\n");
  put("s2/dir/two", "2\n");
  put("s2/file", "f\n");
  ASSERT_TRUE(sys::symlink_at("/dir", AT_FDCWD, path("s2/link")));
  SandboxPlan plan = shell_plan(
      "cat /a/one /a/two /f /l/one; touch /a/x || echo ro; ls /single/dir; touch /single/y || echo "
      "ro");
  const auto view = [&](std::vector<std::string> layers, const std::string& from,
                        const std::string& to) {
    PlanMount mount;
    mount.type = PlanMount::Type::Overlay;
    mount.overlay.lower = std::move(layers);
    mount.source_path = from;
    mount.target = to;
    mount.read_only = true;
    return mount;
  };
  const std::vector<std::string> both = {path("s1"), path("s2")};
  plan.mounts = {view(both, "/dir", "/a"), view(both, "/file", "/f"), view(both, "/link", "/l"),
                 view({path("s1")}, "/", "/single")};
  EXPECT_EQ(output_of(plan), "1\n2\nf\n1\nro\none\nro\n");
  EXPECT_EQ(changes(), "");
}

TEST_F(Root, AWritableViewKeepsItsWritesToItself) {
  put("s1/file", "old\n");
  SandboxPlan plan = shell_plan("echo new > /v/file; cat /v/file");
  PlanMount mount;
  mount.type = PlanMount::Type::Overlay;
  mount.overlay.lower = {path("s1")};
  mount.overlay.upper = make_dir("vu");
  mount.overlay.work = make_dir("vw");
  mount.target = "/v";
  plan.mounts = {mount};
  EXPECT_EQ(output_of(plan), "new\n");
  EXPECT_EQ(read_file(path("s1/file")).value(), "old\n");
}

TEST_F(Root, LaterMountsCoverEarlierAndStandardOnes) {
  SandboxPlan plan = shell_plan("ls /dev/shm; ls /m/n");
  put("x/inx", "");
  put("y/iny", "");
  PlanMount shm;
  shm.source = path("x");
  shm.target = "/dev/shm";
  PlanMount outer;
  outer.type = PlanMount::Type::Tmpfs;
  outer.target = "/m";
  PlanMount inner;
  inner.source = path("y");
  inner.target = "/m/n";
  plan.mounts = {shm, outer, inner};
  EXPECT_EQ(output_of(plan), "inx\niny\n");
}

TEST_F(Root, TwoHundredLayersStack) {
  SandboxPlan plan = shell_plan("ls / | grep -c ^f; cat /f7 /same");
  for (int i = 0; i < 200; ++i) {
    const std::string layer = fmt::format("a-rather-long-name-for-a-layer/{:064d}", i);
    put(layer + fmt::format("/f{}", i), fmt::format("{}\n", i));
    put(layer + "/same", fmt::format("{}\n", i));
    plan.root.lower.push_back(path(layer));
  }
  EXPECT_EQ(output_of(plan), "200\n7\n199\n");
}

TEST_F(Root, ADiskWithoutRoomForTheKernelsWorkDirectoryIsAnErrorAndNotAReadOnlyRoot) {
  bool refused = false;
  for (int inodes = 3; inodes < 12; ++inodes) {
    const std::string disk = make_dir(fmt::format("disk{}", inodes));
    const std::string options = fmt::format("nr_inodes={}", inodes);
    ASSERT_EQ(::mount("tmpfs", disk.c_str(), "tmpfs", 0, options.c_str()), 0) << strerror(errno);
    SandboxPlan plan = shell_plan("echo x >/x");
    plan.root.upper = make_dir(fmt::format("disk{}/upper", inodes));
    plan.root.work = make_dir(fmt::format("disk{}/work", inodes));
    const Ran ran = run(plan);
    EXPECT_EQ(::umount2(disk.c_str(), MNT_DETACH), 0);
    EXPECT_EQ(ran.err.find("Read-only"), std::string::npos) << inodes << ran.err;
    if (!ran.exit) {
      refused = true;
      EXPECT_NE(ran.exit.error().message().find("No space left"), std::string::npos)
          << inodes << ": " << ran.exit.error().message();
    }
  }
  EXPECT_TRUE(refused);
}

TEST_F(Root, TheHostsPathsAreNotInTheMountTable) {
  const std::string table = output_of("cat /proc/self/mountinfo");
  EXPECT_EQ(table.find(path("")), std::string::npos) << table;
  EXPECT_NE(table.find("redirect_dir=nofollow"), std::string::npos) << table;
}

TEST_F(Root, RenamingADirectoryOfALowerLayerIsACopy) {
  put("base/dir/file", "x\n");
  output_of("mv /dir /moved && cat /moved/file");
  const auto moved = sys::open(upper() + "/moved", O_RDONLY | O_DIRECTORY);
  ASSERT_TRUE(moved);
  EXPECT_FALSE(sys::get_xattr(moved->get(), "trusted.overlay.redirect")->has_value());
  EXPECT_EQ(read_file(upper() + "/moved/file").value(), "x\n");
}

TEST_F(Root, ADirectoryCanBeTheRootToo) {
  SandboxPlan plan = shell_plan("echo 1 > /new; ls -d /proc/1");
  plan.root = {};
  plan.root.type = snapshotter::RootMount::Type::Bind;
  plan.root.source = base();
  plan.hosts = "x\n";
  ASSERT_TRUE(sys::set_times_at(AT_FDCWD, base(), {5, 0}));
  EXPECT_EQ(output_of(plan), "/proc/1\n");
  EXPECT_TRUE(sys::exists_at(AT_FDCWD, base() + "/new"));
  EXPECT_FALSE(sys::exists_at(AT_FDCWD, base() + "/proc"));
  EXPECT_FALSE(sys::exists_at(AT_FDCWD, base() + "/etc"));
}

TEST_F(Root, AReadOnlyRootRefusesWritesButMountsDoNot) {
  SandboxPlan plan = shell_plan("touch /x || echo refused; touch /dev/shm/y && echo fine");
  plan.root_read_only = true;
  EXPECT_EQ(output_of(plan), "refused\nfine\n");
}

TEST_F(Root, DeviceNodesWork) {
  EXPECT_EQ(
      output_of(
          "echo x > /dev/null; head -c 3 /dev/zero | wc -c; echo hi > /dev/stdout;"
          "ls /dev/pts/ptmx /dev/mqueue -d; : < /dev/urandom; echo y > /dev/full || echo full"),
      "3\nhi\n/dev/mqueue\n/dev/pts/ptmx\nfull\n");
}

}  // namespace
}  // namespace mybuild::sandbox
