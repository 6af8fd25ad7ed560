// SPDX-License-Identifier: Apache-2.0
// How commands start: where they find themselves, as whom, and what happens when they cannot.
#include "snapshotter/base/sys.h"
#include "tests/sandbox/fixture.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <thread>

namespace mybuild::sandbox {
namespace {

using testing::Test;

class Running : public SandboxTest {};

TEST_F(Running, OutputAndErrorsArriveSeparately) {
  const Ran ran = run(shell_plan("echo out; echo err >&2"));
  ASSERT_TRUE(ran.exit) << ran.exit.error().message();
  EXPECT_EQ(ran.out, "out\n");
  EXPECT_EQ(ran.err, "err\n");
}

TEST_F(Running, TheExitCodeComesBack) {
  const Ran ran = run(shell_plan("exit 7"));
  ASSERT_TRUE(ran.exit);
  EXPECT_EQ(ran.exit->status.code, 7);
  EXPECT_EQ(ran.exit->status.signal, 0);
  EXPECT_FALSE(ran.exit->oom_killed);
}

TEST_F(Running, ASignalComesBack) {
  // PID 1 is immune to its own signals, so the helper has to send it: through the signals pipe.
  auto pipe = sys::pipe();
  ASSERT_TRUE(pipe);
  SandboxPlan plan =
      shell_plan("trap 'echo got; exit 3' TERM; echo ready; while :; do sleep 0.01; done");
  const char term = SIGTERM;
  Stdio stdio;
  std::string out;
  stdio.on_output = [&](int, std::string_view bytes) {
    out.append(bytes);
    if (out == "ready\n") {
      ASSERT_TRUE(sys::write_all(pipe->write_end.get(), as_bytes({&term, 1})));
    }
  };
  const auto exit = sandbox_->run(plan, std::move(stdio), cancel_, {}, pipe->read_end.get());
  ASSERT_TRUE(exit) << exit.error().message();
  EXPECT_EQ(exit->status.code, 3);
  EXPECT_EQ(out, "ready\ngot\n");
}

TEST_F(Running, AKilledCommandIsSeenAsSuch) {
  auto pipe = sys::pipe();
  ASSERT_TRUE(pipe);
  const char kill = SIGKILL;
  ASSERT_TRUE(sys::write_all(pipe->write_end.get(), as_bytes({&kill, 1})));
  const Ran ran = run(shell_plan("sleep 100"), {}, pipe->read_end.get());
  ASSERT_TRUE(ran.exit);
  EXPECT_EQ(ran.exit->status.signal, SIGKILL);
  EXPECT_FALSE(ran.exit->oom_killed);
}

TEST_F(Running, AMissingProgramIs127InRuncsWords) {
  SandboxPlan plan = shell_plan("");
  plan.argv = {"nonesuch"};
  const Ran ran = run(plan);
  ASSERT_TRUE(ran.exit) << ran.exit.error().message();
  EXPECT_TRUE(ran.exit->not_found);
  EXPECT_EQ(ran.exit->status.code, 127);
  EXPECT_EQ(ran.exit->start_error, "exec: \"nonesuch\": executable file not found in $PATH");

  plan = shell_plan("");
  plan.argv = {"/no/such"};
  EXPECT_EQ(run(plan).exit->start_error, "exec: \"/no/such\": no such file or directory");
}

TEST_F(Running, AFileThatCannotBeRunIs126) {
  put("base/bin/plain", "text", 0644);
  put("base/bin/garbage", "\x01\x02", 0755);
  for (const char* name : {"plain", "garbage", "/bin"}) {
    SandboxPlan plan = shell_plan("");
    plan.argv = {name};
    const Ran ran = run(plan);
    ASSERT_TRUE(ran.exit) << name;
    EXPECT_TRUE(ran.exit->not_executable) << name << ran.exit->start_error;
    EXPECT_EQ(ran.exit->status.code, 126) << name;
  }
}

TEST_F(Running, AScriptWithoutItsInterpreterIsNotFound) {
  put("base/bin/script", "#!/no/interpreter\n", 0755);
  SandboxPlan plan = shell_plan("");
  plan.argv = {"script"};
  const Ran ran = run(plan);
  ASSERT_TRUE(ran.exit);
  EXPECT_TRUE(ran.exit->not_found);
  EXPECT_NE(ran.exit->start_error.find("/bin/script"), std::string::npos);
}

TEST_F(Running, HomeComesFromPasswdUnlessGiven) {
  put("base/etc/passwd", "root:x:0:0::/root:/bin/sh\napp:x:5:6::/home/app:\n");
  EXPECT_EQ(output_of("echo $HOME"), "/root\n");
  SandboxPlan plan = shell_plan("echo $HOME");
  plan.user = "app";
  EXPECT_EQ(output_of(plan), "/home/app\n");
  plan = shell_plan("echo $HOME");
  plan.env.emplace_back("HOME=/else");
  EXPECT_EQ(output_of(plan), "/else\n");
}

TEST_F(Running, UsersHaveTheirGroups) {
  put("base/etc/passwd", "app:x:5:6::/:\n");
  put("base/etc/group", "six:x:6:\nmore:x:9:app\n");
  SandboxPlan plan = shell_plan("id -u; id -g; id -G");
  plan.user = "app";
  EXPECT_EQ(output_of(plan), "5\n6\n6 9\n");
}

TEST_F(Running, AnUnknownUserIsAClearError) {
  SandboxPlan plan = shell_plan("true");
  plan.user = "ghost";
  const Ran ran = run(plan);
  ASSERT_FALSE(ran.exit);
  EXPECT_EQ(ran.exit.error().kind(), ErrorKind::NotFound);
  EXPECT_NE(ran.exit.error().message().find(
                "unable to find user ghost: no matching entries in passwd file"),
            std::string::npos);
}

TEST_F(Running, AccountFilesThatAreTrapsDoNotHang) {
  make_dir("base/etc");
  ASSERT_TRUE(sys::mknod_at(AT_FDCWD, base() + "/etc/passwd", S_IFIFO | 0644, 0));
  const Ran ran = run(shell_plan("true"));
  ASSERT_FALSE(ran.exit);
  EXPECT_NE(ran.exit.error().message().find("not a regular file"), std::string::npos);
}

TEST_F(Running, AMissingWorkingDirectoryIsMadeForTheUser) {
  SandboxPlan plan = shell_plan("stat -c '%n %a %u %g' /new /new/dir; readlink /proc/self/cwd");
  plan.cwd = "/new/dir";
  plan.user = "7:8";
  EXPECT_EQ(output_of(plan), "/new 755 7 8\n/new/dir 755 7 8\n/new/dir\n");
}

TEST_F(Running, AWorkingDirectoryCannotLeadOutside) {
  for (int fd = 3; fd < 40; ++fd) {
    SandboxPlan plan = shell_plan("ls -d etc/hostname boot usr/lib lost+found 2>/dev/null; true");
    plan.cwd = fmt::format("/proc/self/fd/{}", fd);
    const Ran ran = run(plan);
    EXPECT_TRUE(!ran.exit || ran.out.empty()) << fd << ran.out;
  }
}

TEST_F(Running, LimitsAreApplied) {
  SandboxPlan plan = shell_plan("ulimit -n; ulimit -Hn; ulimit -c");
  plan.rlimits = {{"nofile", 100, 200}, {"core", 0, 0}};
  EXPECT_EQ(output_of(plan), "100\n200\n0\n");
  plan = shell_plan("true");
  plan.rlimits = {{"nonsense", 1, 1}};
  EXPECT_FALSE(run(plan).exit);
}

TEST_F(Running, ABatchIsScheduledAsOneUnlessTheCallerSaysOtherwise) {
  const int ours = ::sched_getscheduler(0);
  const std::string show = "cut -d' ' -f41 /proc/self/stat";
  EXPECT_EQ(output_of(shell_plan(show)), fmt::format("{}\n", ours));
  SandboxPlan plan = shell_plan(show);
  plan.batch = true;
  EXPECT_EQ(output_of(plan), fmt::format("{}\n", ours == SCHED_OTHER ? SCHED_BATCH : ours));
}

TEST_F(Running, TheHelperOfASecondBuildIsTheSameProgramInMemory) {
  // Two runs of one Sandbox at the same time, from two threads.
  SandboxPlan first = shell_plan("sleep 0.1; echo first");
  SandboxPlan second = shell_plan("sleep 0.1; echo second");
  Ran one;
  std::thread thread([&] { one = run(first); });
  const Ran two = run(second);
  thread.join();
  EXPECT_EQ(one.out, "first\n");
  EXPECT_EQ(two.out, "second\n");
}

TEST_F(Running, DescriptorsAreHandedOverAsTheyAre) {
  auto in = sys::pipe();
  auto out = sys::pipe();
  ASSERT_TRUE(in && out);
  ASSERT_TRUE(sys::write_all(in->write_end.get(), as_bytes("question\n")));
  in->write_end.reset();
  Stdio stdio;
  stdio.in = std::move(in->read_end);
  stdio.out = std::move(out->write_end);
  const auto exit = sandbox_->run(shell_plan("cat; echo answer"), std::move(stdio), cancel_);
  ASSERT_TRUE(exit) << exit.error().message();
  EXPECT_EQ(sys::read_to_end(out->read_end.get()).value(), "question\nanswer\n");
}

TEST_F(Running, ATerminalBecomesTheControllingOne) {
  const Fd master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_TRUE(master && ::grantpt(master.get()) == 0 && ::unlockpt(master.get()) == 0);
  const auto slave = sys::open(::ptsname(master.get()), O_RDWR | O_NOCTTY);
  ASSERT_TRUE(slave) << slave.error().message();
  SandboxPlan plan =
      shell_plan("echo via-tty > /dev/tty; ls -la /dev/console; ps -o tty | head -2");
  plan.terminal = true;
  Stdio stdio;
  stdio.in = sys::dup(slave->get()).value();
  stdio.out = sys::dup(slave->get()).value();
  stdio.err = sys::dup(slave->get()).value();
  const auto exit = sandbox_->run(plan, std::move(stdio), cancel_);
  ASSERT_TRUE(exit) << exit.error().message();
  EXPECT_TRUE(exit->status.success());
  std::string text(4096, '\0');
  const ssize_t size = ::read(master.get(), text.data(), text.size());
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  EXPECT_NE(text.find("via-tty"), std::string::npos) << text;
  EXPECT_NE(text.find("/dev/console"), std::string::npos) << text;
}

TEST_F(Running, InitReapsOrphansAndPassesTheExitCodeOn) {
  SandboxPlan plan = shell_plan("(sleep 0.05 & ) ; sleep 0.3; ps -o pid,stat,args; exit 9");
  plan.init = true;
  const Ran ran = run(plan);
  ASSERT_TRUE(ran.exit) << ran.exit.error().message();
  EXPECT_EQ(ran.exit->status.code, 9);
  EXPECT_EQ(ran.out.find("Z"), std::string::npos) << ran.out;
  plan = shell_plan("kill -TERM $$");
  plan.init = true;
  EXPECT_EQ(run(plan).exit->status.code, 128 + SIGTERM);
  plan = shell_plan("");
  plan.init = true;
  plan.argv = {"nonesuch"};
  EXPECT_TRUE(run(plan).exit->not_found);
}

}  // namespace
}  // namespace mybuild::sandbox
