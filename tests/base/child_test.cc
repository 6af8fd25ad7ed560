// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/child.h"

#include "snapshotter/base/sys.h"

#include <gtest/gtest.h>

#include <csignal>

namespace mybuild {
namespace {

Child::Options shell(const std::string& script) {
  Child::Options options;
  options.argv = {"sh", "-c", script};
  options.env = {"PATH=/usr/bin:/bin"};
  return options;
}

TEST(Child, TellsCodeAndSignal) {
  auto seven = Child::spawn(shell("exit 7"));
  EXPECT_EQ(seven->wait()->code, 7);
  auto killed = Child::spawn(shell("kill -TERM $$"));
  const ExitStatus status = killed->wait().value();
  EXPECT_EQ(status.signal, SIGTERM);
  EXPECT_FALSE(status.success());
}

TEST(Child, AMissingProgramIsAnError) {
  Child::Options options;
  options.argv = {"/no/such/program"};
  EXPECT_EQ(Child::spawn(options).error().kind(), ErrorKind::NotFound);
  options.argv = {};
  EXPECT_EQ(Child::spawn(options).error().kind(), ErrorKind::InvalidArgument);
}

TEST(Child, SeesOnlyTheDescriptorsAndVariablesItWasGiven) {
  const Pipe pipe = sys::pipe().value();
  const Fd leaky(::fcntl(pipe.read_end.get(), F_DUPFD, 3));  // not close-on-exec
  const Fd other = sys::memfd("other").value();
  Child::Options options = shell("echo $(ls /proc/self/fd | tr '\\n' ' '); env | sort | head -1");
  options.fds = {{pipe.write_end.get(), 1}, {other.get(), 6}};
  auto child = Child::spawn(options);
  ASSERT_TRUE(child);
  ASSERT_TRUE(child->wait()->success());
  std::vector<std::byte> buffer(4096);
  const std::size_t count = sys::read(pipe.read_end.get(), buffer).value();
  const std::string output(as_text(ByteSpan(buffer).first(count)));
  EXPECT_EQ(output, "0 1 2 3 6\nPATH=/usr/bin:/bin\n") << "3 is ls's own";
}

TEST(Child, DescriptorsMayTradePlaces) {
  const Pipe pipe = sys::pipe().value();
  Child::Options options = shell("echo out; echo err >&2");
  const Fd sink = sys::memfd("sink").value();
  options.fds = {{pipe.write_end.get(), 2}, {sink.get(), 1}};
  auto child = Child::spawn(options);
  ASSERT_TRUE(child->wait()->success());
  std::vector<std::byte> buffer(100);
  const std::size_t count = sys::read(pipe.read_end.get(), buffer).value();
  EXPECT_EQ(as_text(ByteSpan(buffer).first(count)), "err\n");
}

TEST(Child, IsKilledAndReapedWithItsHandle) {
  pid_t pid = 0;
  {
    auto child = Child::spawn(shell("exec sleep 1000"));
    pid = child->pid();
    EXPECT_EQ(::kill(pid, 0), 0);
  }
  EXPECT_EQ(::kill(pid, 0), -1);
  EXPECT_EQ(errno, ESRCH);
}

TEST(Child, IsWaitedForOnceAndNeverTakesSomebodyElses) {
  auto child = Child::spawn(shell("exit 0"));
  auto bystander = Child::spawn(shell("exit 3"));
  EXPECT_TRUE(child->wait());
  EXPECT_FALSE(child->wait());
  EXPECT_EQ(bystander->wait()->code, 3);
}

TEST(Child, PidfdTellsOfTheEnd) {
  auto child = Child::spawn(shell("exec sleep 1000"));
  EXPECT_FALSE(*sys::poll_readable(child->pidfd(), std::chrono::milliseconds(0)));
  ASSERT_TRUE(child->kill(SIGKILL));
  EXPECT_TRUE(*sys::poll_readable(child->pidfd(), std::chrono::milliseconds(5000)));
  EXPECT_EQ(child->wait()->signal, SIGKILL);
}

}  // namespace
}  // namespace mybuild
