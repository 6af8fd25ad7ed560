// SPDX-License-Identifier: Apache-2.0
// Device nodes: those of /dev serve everybody, those that a step makes or finds are dead.
#include "snapshotter/base/sys.h"
#include "tests/sandbox/fixture.h"

#include <sys/sysmacros.h>

namespace mybuild::sandbox {
namespace {

constexpr const char* kDenied = "Permission denied\n";

class Devices : public SandboxTest {
 protected:
  /// Where a step can write: in mounts of every type and in those that it has anyway.
  SandboxPlan plan_with_mounts(const std::string& script) {
    SandboxPlan plan = shell_plan(script);
    PlanMount cache;
    cache.source = make_dir("cache");
    cache.target = "/cache";
    PlanMount memory;
    memory.type = PlanMount::Type::Tmpfs;
    memory.target = "/memory";
    PlanMount view;
    view.type = PlanMount::Type::Overlay;
    view.overlay.lower = {make_dir("view")};
    view.overlay.upper = make_dir("view-upper");
    view.overlay.work = make_dir("view-work");
    view.target = "/view";
    plan.mounts = {cache, memory, view};
    return plan;
  }

  /// The kernel's word on opening `node`; the rest of the line names the file.
  static std::string open_attempt(const std::string& node) {
    return fmt::format("head -c 1 {} 2>&1 | sed 's/.*: //';", node);
  }
};

TEST_F(Devices, ADiskMadeByAStepCannotBeOpenedAnywhere) {
  std::string script = "mkdir -p /tmp;";
  std::string expected;
  for (const char* place : {"", "/dev", "/tmp", "/dev/shm", "/memory", "/cache", "/view"}) {
    const std::string node = fmt::format("{}/disk", place);
    script += fmt::format("mknod {} b 254 0 && echo made;{}", node, open_attempt(node));
    expected += std::string("made\n") + kDenied;
  }
  EXPECT_EQ(output_of(plan_with_mounts(script)), expected);
}

TEST_F(Devices, MovesAndLinksDoNotReviveANode) {
  const std::string script =
      "mknod /dev/disk b 254 0; ! mv /dev/disk /dev/null && ! rm -f /dev/null;"
      "! ln /dev/null /dev/other; ! mount -o remount,dev / && ! mount -o remount,dev,bind /dev;";
  EXPECT_EQ(output_of("{ " + script + " } 2>/dev/null; " + open_attempt("/dev/disk") +
                      "ls -l /dev/null | head -c 10"),
            std::string(kDenied) + "crw-rw-rw-");
}

TEST_F(Devices, ADeviceOfThePlanWorksAndIsNotTheHosts) {
  PlanMount node;
  node.type = PlanMount::Type::Device;
  node.device = makedev(1, 5);  // zero
  node.mode = S_IFCHR | 0640;
  node.uid = 3;
  node.source = "/dev/zero";
  node.target = "/dev/gpu/card0";
  PlanMount elsewhere = node;
  elsewhere.target = "/opt/card";
  SandboxPlan plan = shell_plan(
      "head -c 3 /dev/gpu/card0 | wc -c; head -c 3 /opt/card | wc -c; ls -ln /opt/card | head -c "
      "20;"
      "chmod 777 /opt/card; mknod /dev/gpu/other c 1 5; head -c 1 /dev/gpu/other 2>&1 | grep -c .");
  plan.mounts = {node, elsewhere};
  EXPECT_EQ(output_of(plan), "3\n3\ncrw-r-----    0 3   1\n");
  EXPECT_EQ(sys::stat_at(AT_FDCWD, "/dev/zero")->st_mode & 0777U, 0666U);
}

TEST_F(Devices, NodesThatAnImageBringsAreDeadToo) {
  ASSERT_TRUE(sys::mknod_at(AT_FDCWD, base() + "/node", S_IFCHR | 0666, makedev(1, 5)));
  SandboxPlan plan = shell_plan(open_attempt("/node"));
  EXPECT_EQ(output_of(plan), kDenied);
  plan.root_read_only = true;
  plan.root.work = make_dir("another-work");
  EXPECT_EQ(output_of(plan), kDenied);
  plan.root = {};
  plan.root.type = snapshotter::RootMount::Type::Bind;
  plan.root.source = base();
  EXPECT_EQ(output_of(plan), kDenied);
}

TEST_F(Devices, ReadOnlyAndNestedMountsAreNoWayAround) {
  put("outer/file", "");
  ASSERT_TRUE(sys::mknod_at(AT_FDCWD, path("outer/node"), S_IFCHR | 0666, makedev(1, 5)));
  SandboxPlan plan = shell_plan(open_attempt("/o/node") + open_attempt("/single"));
  PlanMount outer;
  outer.source = path("outer");
  outer.target = "/o";
  outer.read_only = true;
  PlanMount single;
  single.source = path("outer/node");
  single.target = "/single";
  plan.mounts = {outer, single};
  EXPECT_EQ(output_of(plan), std::string(kDenied) + kDenied);
}

TEST_F(Devices, AMadeNodeIsInTheLayer) {
  output_of("mknod -m 640 /disk b 254 0");
  const auto node = sys::lstat_at(AT_FDCWD, upper() + "/disk");
  ASSERT_TRUE(node) << node.error().message();
  EXPECT_EQ(node->st_mode, S_IFBLK | 0640U);
  EXPECT_EQ(node->st_rdev, makedev(254, 0));
}

TEST_F(Devices, TheStandardOnesWorkForEverybody) {
  for (const char* user : {"", "1000:1000"}) {
    SandboxPlan plan = shell_plan(
        "echo x > /dev/null && cat /dev/null; head -c 3 /dev/zero | wc -c;"
        "for n in random urandom full; do head -c 2 /dev/$n | wc -c; done;"
        "(echo y > /dev/full) 2>/dev/null || echo full;"
        "(: < /dev/tty) 2>&1 | sed 's/.*: //'");
    plan.user = user;
    EXPECT_EQ(output_of(plan), "3\n2\n2\n2\nfull\nNo such device or address\n") << user;
  }
}

TEST_F(Devices, TheStandardOnesLookAsEverywhere) {
  EXPECT_EQ(output_of("echo x > /dev/null; cd /dev;"
                      "stat -c '%n %A %u:%g %t,%T' null zero full random urandom tty;"
                      "readlink ptmx"),
            "null crw-rw-rw- 0:0 1,3\nzero crw-rw-rw- 0:0 1,5\nfull crw-rw-rw- 0:0 1,7\n"
            "random crw-rw-rw- 0:0 1,8\nurandom crw-rw-rw- 0:0 1,9\ntty crw-rw-rw- 0:0 5,0\n"
            "pts/ptmx\n");
}

TEST_F(Devices, PseudoTerminalsWork) {
  for (const char* user : {"", "1000:1000"}) {
    SandboxPlan plan = shell_plan("inspector pty");
    plan.user = user;
    EXPECT_EQ(output_of(plan), "/dev/pts/0 says hello\n") << user;
  }
}

TEST_F(Devices, TheStreamsDoNotLeadToTheHostsNodes) {
  EXPECT_EQ(output_of("cd /proc/self/fd; test $(stat -L -c %d 0) = $(stat -c %d /dev/null) &&"
                      "readlink 0"),
            "/dev/null\n");
}

TEST_F(Devices, AMountOverDevDoesNotUnmaskTheKernelsFiles) {
  make_dir("dev");
  ASSERT_TRUE(sys::symlink_at("/proc/keys", AT_FDCWD, path("dev/null")));
  SandboxPlan plan = shell_plan("cat /proc/keys /proc/timer_list; ls /dev");
  PlanMount mount;
  mount.source = path("dev");
  mount.target = "/dev";
  plan.mounts = {mount};
  EXPECT_EQ(output_of(plan), "null\n");
  plan = shell_plan("ls /dev");
  mount.type = PlanMount::Type::Tmpfs;
  plan.mounts = {mount};
  EXPECT_EQ(output_of(plan), "");
}

TEST_F(Devices, InsecureStepsMayUseTheirs) {
  SandboxPlan plan = plan_with_mounts(
      "for d in '' /dev /cache /view; do mknod $d/mine c 1 5 && head -c 1 $d/mine | wc -c; done");
  plan.insecure = true;
  EXPECT_EQ(output_of(plan), "1\n1\n1\n1\n");
}

}  // namespace
}  // namespace mybuild::sandbox
