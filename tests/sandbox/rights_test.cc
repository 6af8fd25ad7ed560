// SPDX-License-Identifier: Apache-2.0
// What a step may do and see of the machine.
#include "snapshotter/base/child.h"
#include "snapshotter/base/sys.h"
#include "tests/sandbox/fixture.h"

#include <sys/syscall.h>

namespace mybuild::sandbox {
namespace {

class Rights : public SandboxTest {
 protected:
  std::string call(long number, const std::string& arguments = "") {
    return output_of(fmt::format("inspector syscall {} {}", number, arguments));
  }
};

TEST_F(Rights, NamespacesAreItsOwn) {
  SandboxPlan plan =
      shell_plan("for n in mnt pid ipc uts cgroup net; do readlink /proc/self/ns/$n; done");
  plan.network = Network::None;
  const std::string inside = output_of(plan);
  for (const char* name : {"mnt", "pid", "ipc", "uts", "cgroup", "net"}) {
    const auto ours = sys::readlink_at(AT_FDCWD, fmt::format("/proc/self/ns/{}", name));
    EXPECT_NE(inside.find(name), std::string::npos);
    EXPECT_EQ(inside.find(*ours), std::string::npos) << name;
  }
  const auto net = sys::readlink_at(AT_FDCWD, "/proc/self/ns/net");
  EXPECT_EQ(output_of("readlink /proc/self/ns/net"), *net + "\n");
}

TEST_F(Rights, TheCommandIsProcessOneInASessionOfItsOwn) {
  SandboxPlan plan = shell_plan("");
  plan.argv = {"cat", "/proc/self/stat"};
  const std::string stat = output_of(plan);
  EXPECT_TRUE(stat.starts_with("1 (cat) R 0 1 1 ")) << stat;
}

TEST_F(Rights, TheHostNameIsThePlans) {
  SandboxPlan plan = shell_plan("hostname");
  plan.hostname = "buildbox";
  EXPECT_EQ(output_of(plan), "buildbox\n");
}

TEST_F(Rights, NoNetworkMeansALoopbackThatWorks) {
  SandboxPlan plan = shell_plan("ip -o addr; ls /sys/class/net");
  plan.network = Network::None;
  const std::string text = output_of(plan);
  EXPECT_NE(text.find("127.0.0.1/8"), std::string::npos) << text;
  EXPECT_EQ(text.find("eth"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("lo\n")) << text;
}

TEST_F(Rights, CapabilitiesAreDockers) {
  const std::string status = output_of("grep -E '^(Cap|NoNew|Seccomp:)' /proc/self/status");
  EXPECT_EQ(status,
            "CapInh:\t0000000000000000\nCapPrm:\t00000000a80425fb\nCapEff:\t00000000a80425fb\n"
            "CapBnd:\t00000000a80425fb\nCapAmb:\t0000000000000000\nNoNewPrivs:\t0\nSeccomp:\t2\n");
}

TEST_F(Rights, OtherUsersHaveNoneButMayGainThem) {
  SandboxPlan plan = shell_plan("grep -E '^Cap' /proc/self/status");
  plan.user = "1000:1000";
  EXPECT_EQ(output_of(plan),
            "CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n"
            "CapBnd:\t00000000a80425fb\nCapAmb:\t0000000000000000\n");
}

TEST_F(Rights, NothingIsInheritedThatWasNotMeant) {
  SandboxPlan plan = shell_plan("");
  plan.argv = {"ls", "/proc/self/fd"};
  EXPECT_EQ(output_of(plan), "0\n1\n2\n3\n");  // 3 is the directory being listed
  EXPECT_EQ(output_of("umask"), "0022\n");
  plan = shell_plan("");
  plan.argv = {"grep", "-E", "^Sig(Blk|Ign|Cgt)", "/proc/self/status"};
  EXPECT_EQ(output_of(plan),
            "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\nSigCgt:\t0000000000000000\n");
}

TEST_F(Rights, ForbiddenCallsAreRefused) {
  EXPECT_EQ(call(SYS_keyctl, "0"), "EPERM\n");
  EXPECT_EQ(call(SYS_mount), "EPERM\n");
  EXPECT_EQ(call(SYS_unshare, "0x10000000"), "EPERM\n");
  EXPECT_EQ(call(SYS_setns), "EPERM\n");
  EXPECT_EQ(call(SYS_bpf), "EPERM\n");
  EXPECT_EQ(call(SYS_io_uring_setup), "EPERM\n");
  EXPECT_EQ(call(SYS_open_by_handle_at), "EPERM\n");
  EXPECT_EQ(call(SYS_kexec_load), "EPERM\n");
  EXPECT_EQ(call(459), "EPERM\n");  // lsm_get_self_attr
  EXPECT_EQ(output_of("inspector clone-user"), "EPERM\n");
}

TEST_F(Rights, CallsOfTheFutureDoNotExist) {
  EXPECT_EQ(call(SYS_clone3), "ENOSYS\n");
  EXPECT_EQ(call(500), "ENOSYS\n");
  EXPECT_EQ(call(100000), "ENOSYS\n");
}

TEST_F(Rights, OrdinaryCallsPass) {
  EXPECT_EQ(call(SYS_getpid), "ok\n");
  EXPECT_EQ(call(SYS_chroot, "0"), "EFAULT\n");
  EXPECT_EQ(call(SYS_ptrace, "0 0 0 0"), "ok\n");  // PTRACE_TRACEME
  EXPECT_EQ(call(SYS_socket, "1 1 0"), "ok\n");
  EXPECT_EQ(call(SYS_personality, "0xffffffff"), "ok\n");
}

TEST_F(Rights, ArgumentsAreLookedAt) {
  EXPECT_EQ(call(SYS_socket, "40 1 0"), "EPERM\n");  // AF_VSOCK
  EXPECT_EQ(call(SYS_socket, "38 5 0"), "EPERM\n");  // AF_ALG
  EXPECT_EQ(call(SYS_personality, "0x0400000"), "EPERM\n");
  EXPECT_EQ(call(SYS_personality, "0x8"), "ok\n");
}

TEST_F(Rights, AllStepsOfABuildSeeTheSame) {
  const std::string show =
      "cut -d' ' -f4-6 /proc/self/mountinfo; ls -la /dev | sed 's/.*:[0-9][0-9] //'; hostname; "
      "cat /etc/hosts; ls /..; id; pwd; ls /proc/self/fd | wc -l";
  SandboxPlan plan = shell_plan(show);
  plan.hosts = "127.0.0.1 localhost\n";
  const std::string first = output_of(plan);
  EXPECT_NE(first.find("/timer_list "), std::string::npos) << first;
  for (int step = 2; step <= 4; ++step) {
    plan.root.upper = make_dir(fmt::format("up{}", step));
    plan.root.work = make_dir(fmt::format("wk{}", step));
    EXPECT_EQ(output_of(plan), first) << step;
  }
}

TEST_F(Rights, AStepThatIsNotLikeTheOneBeforeHasASurroundingOfItsOwn) {
  run_two_steps();
  SandboxPlan plan = shell_plan("hostname; cat /etc/hosts; ls /sys/class/net");
  plan.hostname = "another";
  plan.hosts = "127.0.0.1 x\n";
  plan.network = Network::None;
  EXPECT_EQ(output_of(plan), "another\n127.0.0.1 x\nlo\n");
  plan = shell_plan("cat /proc/self/status | grep Seccomp:; stat -f -c %s /dev/shm");
  plan.insecure = true;
  EXPECT_TRUE(output_of(plan).starts_with("Seccomp:\t0\n"));
  EXPECT_TRUE(output_of("grep Seccomp: /proc/self/status").starts_with("Seccomp:\t2\n"));
}

TEST_F(Rights, NoDescriptorOfOneStepIsOpenInTheNext) {
  auto pipe = sys::pipe();
  ASSERT_TRUE(pipe);
  run_two_steps();
  SandboxPlan plan = shell_plan("cat /secret");
  PlanMount secret;
  secret.type = PlanMount::Type::File;
  secret.target = "/secret";
  const Fd memory = sys::memfd("secret").value();
  ASSERT_TRUE(sys::write_all(memory.get(), as_bytes(std::string_view("hidden\n"))));
  secret.fd = 3;
  plan.mounts = {secret};
  EXPECT_EQ(run(plan, {memory.get(), pipe->write_end.get()}).out, "hidden\n");
  pipe->write_end.reset();
  std::byte byte{};
  EXPECT_EQ(sys::read(pipe->read_end.get(), {&byte, 1}).value(), 0U) << "nobody holds the far end";
  EXPECT_EQ(output_of("cat /secret 2>/dev/null; ls /proc/self/fd | wc -l"), "4\n");
}

TEST_F(Rights, KernelFilesAreMaskedOrReadOnly) {
  EXPECT_EQ(output_of("cat /proc/kcore /proc/keys /proc/timer_list; ls /sys/firmware /proc/acpi "
                      "2>/dev/null | grep -v :"
                      "; true"),
            "\n");
  EXPECT_EQ(output_of("echo 1 > /proc/sys/kernel/domainname || echo ro"), "ro\n");
  EXPECT_EQ(output_of("echo b > /proc/sysrq-trigger || echo ro"), "ro\n");
  EXPECT_EQ(output_of("mkdir /sys/fs/cgroup/x || echo ro"), "ro\n");
}

TEST_F(Rights, InsecureStepsHaveTheLot) {
  SandboxPlan plan = shell_plan(
      "mkdir /m && mount -t tmpfs none /m && grep Seccomp: /proc/self/status; "
      "echo box > /proc/sys/kernel/domainname && echo writable");
  plan.insecure = true;
  EXPECT_EQ(output_of(plan), "Seccomp:\t0\nwritable\n");
}

TEST_F(Rights, TheHelpersProgramCannotBeOverwritten) {
  // An image may name /proc/self/exe as its program: that is the helper, and it must be a sealed
  // copy.
  SandboxPlan plan = shell_plan("");
  plan.argv = {"/proc/self/exe"};
  const auto before = read_file(std::string(MYBUILD_BINARY_DIR) + "/bin/mybuild-sandbox");
  const Ran ran = run(plan);
  ASSERT_TRUE(ran.exit);
  EXPECT_NE(ran.exit->status.code, 0);  // its usage text, if it runs at all
  plan = shell_plan("(echo x > /proc/1/exe) 2>&1; readlink /proc/1/exe || true");
  plan.init = true;
  const std::string text = output_of(plan);
  EXPECT_EQ(text.find("mybuild-sandbox\n"), std::string::npos) << text;
  EXPECT_EQ(*before, *read_file(std::string(MYBUILD_BINARY_DIR) + "/bin/mybuild-sandbox"));
}

TEST_F(Rights, MissingOnesAreNamed) {
  if (!sys::exists_at(AT_FDCWD, "/usr/sbin/capsh") &&
      !sys::exists_at(AT_FDCWD, "/usr/bin/setpriv")) {
    GTEST_SKIP() << "setpriv is missing";
  }
  auto log = sys::pipe();
  ASSERT_TRUE(log);
  auto child =
      Child::spawn({.argv = {"setpriv", "--bounding-set", "-sys_admin", "--inh-caps", "-all",
                             std::string(MYBUILD_BINARY_DIR) + "/bin/mybuild-sandbox", "probe",
                             "overlay", path("")},
                    .env = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"},
                    .fds = {{log->write_end.get(), 2}}});
  ASSERT_TRUE(child) << child.error().message();
  log->write_end.reset();
  const std::string text = sys::read_to_end(log->read_end.get()).value();
  EXPECT_EQ(child->wait()->code, 1);
  EXPECT_NE(text.find("CAP_SYS_ADMIN is missing"), std::string::npos) << text;
  EXPECT_NE(text.find("--privileged"), std::string::npos) << text;
}

TEST_F(Rights, TheProbeFindsOverlaysWorking) {
  const std::string place = make_dir("place");
  auto child = Child::spawn({.argv = {std::string(MYBUILD_BINARY_DIR) + "/bin/mybuild-sandbox",
                                      "probe", "overlay", place},
                             .env = {},
                             .fds = {}});
  ASSERT_TRUE(child);
  EXPECT_TRUE(child->wait()->success());
  const auto left = sys::open(place, O_RDONLY | O_DIRECTORY);
  EXPECT_EQ(sys::list_dir(left->get()).value(), std::vector<std::string>());
}

}  // namespace
}  // namespace mybuild::sandbox
