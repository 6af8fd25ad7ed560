// SPDX-License-Identifier: Apache-2.0
// How runs end: nothing is lost, nothing hangs, nothing stays behind.
#include "snapshotter/base/child.h"
#include "snapshotter/base/sys.h"
#include "tests/sandbox/fixture.h"

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <sstream>
#include <thread>

namespace mybuild::sandbox {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

class Ending : public SandboxTest {};

/// Command lines of all processes that hold `needle`, this one left out.
int count_processes(const std::string& needle) {
  int count = 0;
  const auto proc = sys::open("/proc", O_RDONLY | O_DIRECTORY);
  for (const std::string& name : *sys::list_dir(proc->get())) {
    const auto line = read_file("/proc/" + name + "/cmdline");
    count += name != std::to_string(::getpid()) && line && line->find(needle) != std::string::npos;
  }
  return count;
}

TEST_F(Ending, AFloodOfOutputIsCompleteAndDoesNotHang) {
  constexpr std::size_t kBytes = 100'000'000;
  SandboxPlan plan = shell_plan("");
  plan.argv = {"inspector", "flood", std::to_string(kBytes)};
  std::size_t sizes[2] = {};
  std::uint64_t last[2] = {};
  std::string rest[2];
  bool in_order = true;
  Stdio stdio;
  stdio.on_output = [&](int stream, std::string_view bytes) {
    const auto i = static_cast<std::size_t>(stream) - 1;
    sizes[i] += bytes.size();
    rest[i].append(bytes);
    std::size_t used = 0;
    for (; rest[i].size() - used >= 16; used += 16) {
      const std::uint64_t number = std::strtoull(rest[i].c_str() + used, nullptr, 10);
      in_order = in_order && (used == 0 || number == last[i] + 2);
      last[i] = number;
    }
    rest[i].erase(0, used);
  };
  const auto exit = sandbox_->run(plan, std::move(stdio), cancel_);
  ASSERT_TRUE(exit) << exit.error().message();
  EXPECT_TRUE(exit->status.success());
  EXPECT_GE(sizes[0] + sizes[1], kBytes);
  EXPECT_EQ((sizes[0] + sizes[1]) % 16, 0U);
  EXPECT_TRUE(in_order);
}

TEST_F(Ending, ADaemonLeftBehindEndsWithTheCommand) {
  const auto begin = Clock::now();
  SandboxPlan plan = shell_plan("");
  plan.argv = {"inspector", "daemon"};
  EXPECT_EQ(output_of(plan), "parent done\n");
  EXPECT_LT(Clock::now() - begin, milliseconds(3000));
}

/// The processes that were started by `parent` and not waited for.
std::vector<pid_t> children(pid_t parent = ::getpid()) {
  std::vector<pid_t> pids;
  const std::string tasks = fmt::format("/proc/{}/task", parent);
  const auto proc = sys::open(tasks, O_RDONLY | O_DIRECTORY);
  for (const std::string& thread : *sys::list_dir(proc->get())) {
    std::istringstream list(read_file(fmt::format("{}/{}/children", tasks, thread)).value_or(""));
    for (pid_t pid = 0; list >> pid;) {
      pids.push_back(pid);
    }
  }
  return pids;
}

void kill_and_see_it_end(pid_t pid) {
  const auto deadline = Clock::now() + milliseconds(3000);
  ::kill(pid, SIGKILL);
  const auto is_zombie = [pid] {
    const auto stat = read_file(fmt::format("/proc/{}/stat", pid));
    return !stat || stat->find(") Z ") != std::string::npos;
  };
  while (!is_zombie() && Clock::now() < deadline) {
    std::this_thread::sleep_for(milliseconds(1));
  }
  EXPECT_TRUE(is_zombie());
}

TEST_F(Ending, OneHelperServesStepAfterStepAndIsReplacedWhenKilled) {
  EXPECT_EQ(output_of("echo 1"), "1\n");
  const std::vector<pid_t> helper = children();
  ASSERT_EQ(helper.size(), 1U);
  EXPECT_EQ(output_of("echo 2"), "2\n");
  EXPECT_EQ(children(), helper);
  kill_and_see_it_end(helper.front());
  EXPECT_EQ(output_of("echo 3"), "3\n");
  EXPECT_EQ(std::ranges::count(children(), helper.front()), 0);
  sandbox_.reset();
  EXPECT_EQ(children().size(), 0U);
}

TEST_F(Ending, TheProcessThatWaitsForTheNextStepIsReplacedWhenKilled) {
  run_two_steps();
  const pid_t helper = children().at(0);
  const std::vector<pid_t> waiting = children(helper);
  ASSERT_EQ(waiting.size(), 1U);
  kill_and_see_it_end(waiting.front());
  EXPECT_EQ(output_of("echo 3"), "3\n");
  EXPECT_EQ(children().at(0), helper);
  EXPECT_EQ(children(helper).size(), 1U);
}

TEST_F(Ending, WhoWaitsForTheNextStepGoesWithTheHelper) {
  run_two_steps();
  const std::vector<pid_t> waiting = children(children().at(0));
  ASSERT_EQ(waiting.size(), 1U);
  const std::string mounts = fmt::format("/proc/{}/mounts", waiting.front());
  EXPECT_TRUE(read_file(mounts));
  sandbox_.reset();
  const auto deadline = Clock::now() + milliseconds(3000);
  while (!read_file(mounts).value_or("").empty() && Clock::now() < deadline) {
    std::this_thread::sleep_for(milliseconds(1));
  }
  EXPECT_EQ(read_file(mounts).value_or(""), "");
}

TEST_F(Ending, ACancelledStepTakesItsHelperAlong) {
  run_two_steps();
  const std::vector<pid_t> before = children();
  Cancel cancel;
  Stdio stdio;
  stdio.on_output = [&cancel](int, std::string_view) {
    cancel.request(Error(ErrorKind::Cancelled, "stopped by the test"));
  };
  EXPECT_FALSE(sandbox_->run(shell_plan("echo up; sleep 100"), std::move(stdio), cancel));
  EXPECT_EQ(output_of("echo 4"), "4\n");
  EXPECT_NE(children(), before);
}

TEST_F(Ending, CancellingKillsWithinASecond) {
  std::thread canceller([this] {
    std::this_thread::sleep_for(milliseconds(200));
    cancel_.request(Error(ErrorKind::Cancelled, "stopped by the test"));
  });
  const auto begin = Clock::now();
  const Ran ran = run(shell_plan("trap '' TERM INT; echo started; while :; do sleep 1; done"));
  canceller.join();
  EXPECT_LT(Clock::now() - begin, milliseconds(1200));
  ASSERT_FALSE(ran.exit);
  EXPECT_EQ(ran.exit.error().kind(), ErrorKind::Cancelled);
  EXPECT_EQ(ran.exit.error().message(), "stopped by the test");
  EXPECT_EQ(ran.out, "started\n");
}

TEST_F(Ending, ACancelledBuildStartsNothing) {
  cancel_.request(Error(ErrorKind::Cancelled, "earlier"));
  EXPECT_FALSE(run(shell_plan("touch /x")).exit);
  EXPECT_FALSE(sys::exists_at(AT_FDCWD, upper() + "/x"));
}

TEST_F(Ending, AKilledBuilderLeavesNothingBehind) {
  const std::string mark = fmt::format("31{:06d}", ::getpid());
  SandboxPlan plan = shell_plan("echo up; (sleep " + mark + " &); sleep " + mark);
  put("plan.json", dump(plan));
  auto pipe = sys::pipe();
  ASSERT_TRUE(pipe);
  const std::string mounts_before = read_file("/proc/self/mounts").value();
  auto victim = Child::spawn(
      {.argv = {std::string(MYBUILD_BINARY_DIR) + "/bin/sandbox_victim",
                std::string(MYBUILD_BINARY_DIR) + "/bin/mybuild-sandbox", path("plan.json")},
       .env = {},
       .fds = {{pipe->write_end.get(), 1}}});
  ASSERT_TRUE(victim) << victim.error().message();
  ASSERT_TRUE(sys::poll_readable(pipe->read_end.get(), milliseconds(5000)).value());
  const auto deadline = Clock::now() + milliseconds(3000);
  while (count_processes(mark) < 2 && Clock::now() < deadline) {
    std::this_thread::sleep_for(milliseconds(5));
  }
  EXPECT_GE(count_processes(mark), 2);
  ASSERT_TRUE(victim->kill(SIGKILL));
  ASSERT_TRUE(victim->wait());
  while (count_processes(mark) > 0 && Clock::now() < deadline) {
    std::this_thread::sleep_for(milliseconds(5));
  }
  EXPECT_EQ(count_processes(mark), 0);
  EXPECT_EQ(read_file("/proc/self/mounts").value(), mounts_before);
}

TEST_F(Ending, AKilledHelperIsAnErrorAndTakesTheCommandAlong) {
  const std::string mark = fmt::format("32{:06d}", ::getpid());
  SandboxPlan plan = shell_plan("kill -9 $PPID; sleep " + mark);
  std::thread killer([&] {
    // The helper is the only process whose child has the mark and that is a child of ours.
    const std::string children = fmt::format("/proc/self/task/{}/children", ::getpid());
    for (int i = 0; i < 500; ++i) {
      std::this_thread::sleep_for(milliseconds(10));
      const auto text = read_file(children);
      if (count_processes(mark) > 0 && text && !text->empty()) {
        ::kill(std::atoi(text->c_str()), SIGKILL);
        return;
      }
    }
  });
  const Ran ran = run(plan);
  killer.join();
  ASSERT_FALSE(ran.exit);
  EXPECT_NE(ran.exit.error().message().find("without a report"), std::string::npos);
  const auto deadline = Clock::now() + milliseconds(3000);
  while (count_processes(mark) > 0 && Clock::now() < deadline) {
    std::this_thread::sleep_for(milliseconds(5));
  }
  EXPECT_EQ(count_processes(mark), 0);
}

TEST_F(Ending, UsageIsMeasured) {
  const Ran ran = run(shell_plan("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"));
  ASSERT_TRUE(ran.exit);
  EXPECT_GT(ran.exit->usage.user_time.count(), 1000);
  EXPECT_GT(ran.exit->usage.max_rss, 100'000U);
}

TEST_F(Ending, AHelperThatIsNotThereIsAnError) {
  const auto lost = make_sandbox("/no/such/helper");
  const auto exit = lost->run(shell_plan("true"), {}, cancel_);
  ASSERT_FALSE(exit);
  EXPECT_NE(exit.error().message().find("/no/such/helper"), std::string::npos);
}

}  // namespace
}  // namespace mybuild::sandbox
