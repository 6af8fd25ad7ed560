// SPDX-License-Identifier: Apache-2.0
#include "builder/sandbox/helper_main.h"

#include "builder/sandbox/control.h"
#include "builder/sandbox/frame.h"
#include "builder/sandbox/inside.h"
#include "builder/sandbox/oom.h"
#include "builder/sandbox/rights.h"
#include "snapshotter/base/sys.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <numeric>
#include <optional>
#include <utility>

namespace mybuild::sandbox {

namespace {

constexpr int kIgnored[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU};

/// The process inside as the helper sees it.
struct Inside {
  pid_t pid = -1;
  Fd pidfd;
  Fd setup;
};

struct Outcome {
  StubRecord stubs;
  std::optional<Result<SandboxExit>> failed_start;
};

std::uint64_t namespaces_of(const SandboxPlan& plan) {
  const std::uint64_t always =
      CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
  return plan.network == Network::None ? always | CLONE_NEWNET : always;
}

using Life = void (*)(const SandboxPlan& plan, int setup);  // never returns

Result<Inside> start_inside(const SandboxPlan& plan, Life life) {
  SocketPair setup = TRY(sys::socket_pair());
  int pidfd = -1;
  struct clone_args args {};
  args.flags = namespaces_of(plan) | CLONE_PIDFD;
  args.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
  args.exit_signal = SIGCHLD;
  const long pid = ::syscall(SYS_clone3, &args, sizeof args);
  if (pid < 0) {
    return explain_rights(os_error(errno, "make namespaces"));
  }
  if (pid == 0) {
    for (const int signal : kIgnored) {
      ::signal(signal, SIG_DFL);
    }
    setup.parent.reset();
    life(plan, setup.child.get());
  }
  return Inside{
      .pid = static_cast<pid_t>(pid), .pidfd = Fd(pidfd), .setup = std::move(setup.parent)};
}

/// A builder that is gone counts as one that says kill. False when there is nothing more to expect
/// from it.
bool obey(int control, const Inside& inside) {
  const Result<std::optional<std::string>> packet = receive_packet(control);
  if (!packet || !*packet || (**packet)[0] == kKill) {
    [[maybe_unused]] const Status killed = sys::pidfd_send_signal(inside.pidfd.get(), SIGKILL);
    return packet && packet->has_value();
  }
  if ((*packet)->size() == 2 && (**packet)[0] == kSignal) {
    [[maybe_unused]] const Status sent =
        sys::pidfd_send_signal(inside.pidfd.get(), static_cast<unsigned char>((**packet)[1]));
  }
  return true;
}

/// False at the end: the command runs, or the process inside has ended.
bool listen_inside(int setup, Outcome& outcome) {
  const Result<std::optional<std::string>> packet = receive_packet(setup);
  if (!packet || !*packet) {
    return false;
  }
  Result<std::optional<StubRecord>> stubs = decode_stubs(**packet);
  if (stubs && *stubs) {
    outcome.stubs = std::move(**stubs);
  } else {
    outcome.failed_start = decode_report(**packet);
  }
  return true;
}

/// `started`: called once the command runs.
Outcome watch(int control, const Inside& inside, const std::function<void()>& started) {
  Outcome outcome;
  struct pollfd entries[] = {
      {control, POLLIN, 0}, {inside.setup.get(), POLLIN, 0}, {inside.pidfd.get(), POLLIN, 0}};
  auto& [builder, setup, end] = entries;
  while (end.revents == 0) {
    if (::poll(entries, std::size(entries), -1) < 0) {
      continue;
    }
    if (builder.revents != 0 && !obey(control, inside)) {
      builder.fd = -1;
    }
    if (setup.revents != 0 && !listen_inside(setup.fd, outcome)) {
      setup.fd = -1;
      if (!outcome.failed_start) {
        started();
      }
    }
  }
  while (setup.fd >= 0 && listen_inside(setup.fd, outcome)) {
  }
  return outcome;
}

std::chrono::microseconds to_micros(const struct timeval& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

SandboxExit collect(const Inside& inside, std::uint64_t oom_kills_before) {
  int status = 0;
  struct rusage usage {};
  while (::wait4(inside.pid, &status, __WALL, &usage) < 0 && errno == EINTR) {
  }
  SandboxExit exit;
  exit.status.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  exit.status.code = WIFSIGNALED(status) ? 0 : WEXITSTATUS(status);
  exit.usage = {.user_time = to_micros(usage.ru_utime),
                .system_time = to_micros(usage.ru_stime),
                .max_rss = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024};
  // A shell turns the killed child's signal into 128 + 9.
  const bool killed = exit.status.signal == SIGKILL || exit.status.code == 128 + SIGKILL;
  exit.oom_killed = killed && count_oom_kills() > oom_kills_before;
  return exit;
}

bool shows(const Fd& fd, short event) {
  struct pollfd entry {
    .fd = fd.get(), .events = event, .revents = 0
  };
  return ::poll(&entry, 1, 0) != 0;
}

bool has_ended(const Inside& inside) {
  return shows(inside.pidfd, POLLIN);
}

/// A mount table says so since it was opened, or asked (proc(5), mounts).
bool has_changed(const Fd& mounts) {
  return shows(mounts, POLLPRI);
}

/// Runs one step after the other. From the second one on, the process inside of the next is made
/// beside the command, with the frame of the step that runs.
class StepServer {
 public:
  Status open() {
    control_ = Fd(kControlFd);
    null_ = TRY(sys::open("/dev/null", O_RDWR));
    return {};
  }

  /// False when there is nothing more to do.
  Result<bool> serve_one() {
    std::optional<std::vector<Fd>> fds = TRY(receive_descriptors(control_.get()));
    if (!fds || fds->empty()) {
      return false;
    }
    const int plan_fd = static_cast<int>(fds->size()) - 1;
    TRY(take(std::move(*fds)));
    const Result<SandboxExit> report = run_plan(plan_fd);
    TRY(send_packet(control_.get(), encode_report(report)));
    return true;
  }

 private:
  struct Next {
    SandboxPlan like;
    Inside inside;
    Fd mounts;  // the host's table, from before the process inside got its copy
  };

  /// The step's descriptors get their numbers, ours those behind them.
  Status take(std::vector<Fd> fds) {
    const int count = static_cast<int>(fds.size());
    fds.push_back(std::move(control_));
    fds.push_back(std::move(null_));
    if (next_) {
      fds.push_back(std::move(next_->inside.pidfd));
      fds.push_back(std::move(next_->inside.setup));
      fds.push_back(std::move(next_->mounts));
    }
    TRY(put_in_place(std::move(fds)));
    control_ = Fd(count);
    null_ = Fd(count + 1);
    if (next_) {
      next_->inside.pidfd = Fd(count + 2);
      next_->inside.setup = Fd(count + 3);
      next_->mounts = Fd(count + 4);
    }
    return {};
  }

  /// The log pipes must end with the command, secrets belong to it alone.
  Status let_go(const SandboxPlan& plan, int plan_fd) const {
    for (int fd = 0; fd <= STDERR_FILENO; ++fd) {
      if (::dup2(null_.get(), fd) < 0) {
        return os_error(errno, "let go of a stream");
      }
    }
    for (int fd = STDERR_FILENO + 1; fd <= plan_fd; ++fd) {
      if (fd != plan.held_fd) {
        ::close(fd);
      }
    }
    return {};
  }

  Result<SandboxExit> run_plan(int plan_fd) {
    const SandboxPlan plan = TRY(read_plan(plan_fd));
    const Inside inside = TRY(start(plan, plan_fd));
    TRY(let_go(plan, plan_fd));
    const Fd held(plan.held_fd);                        // until all is over
    const std::uint64_t oom_kills = count_oom_kills();  // here, beside the set-up, it costs no time
    const Outcome outcome = watch(control_.get(), inside, [this, &plan] { make_next(plan); });
    SandboxExit exit = collect(inside, oom_kills);
    if (!outcome.stubs.made.empty()) {
      remove_stubs(plan.root, outcome.stubs);
    }
    if (!outcome.failed_start) {
      return exit;
    }
    if (*outcome.failed_start) {
      SandboxExit failed = **outcome.failed_start;
      failed.usage = exit.usage;
      return failed;
    }
    return outcome.failed_start->error();
  }

  /// The process that waits gets descriptors 0 to `plan_fd`, if its frame is the right one and it
  /// sees what is mounted here now; somebody may have killed it.
  Result<Inside> start(const SandboxPlan& plan, int plan_fd) {
    std::optional<Next> next = std::exchange(next_, std::nullopt);
    if (next &&
        (has_ended(next->inside) || has_changed(next->mounts) || !same_frame(next->like, plan))) {
      end(next->inside);
      next.reset();
    }
    if (!next) {
      return start_inside(plan, run_inside);
    }
    std::vector<int> fds(static_cast<std::size_t>(plan_fd) + 1);
    std::iota(fds.begin(), fds.end(), 0);
    TRY(send_descriptors(next->inside.setup.get(), fds));
    return std::move(next->inside);
  }

  static void end(const Inside& inside) {
    [[maybe_unused]] const Status killed = sys::pidfd_send_signal(inside.pidfd.get(), SIGKILL);
    collect(inside, 0);
  }

  /// Where one step came after another, a third one may come. A build with a single step pays for
  /// one process only.
  void make_next(const SandboxPlan& plan) {
    if (!std::exchange(has_run_, true) || !same_frame(plan, plan)) {
      return;
    }
    Result<Fd> mounts = sys::open("/proc/self/mountinfo", O_RDONLY);
    Result<Inside> inside = mounts ? start_inside(plan, wait_inside) : mounts.error();
    if (inside) {
      next_.emplace(Next{.like = plan, .inside = std::move(*inside), .mounts = std::move(*mounts)});
    }
  }

  Fd control_;
  Fd null_;
  std::optional<Next> next_;
  bool has_run_ = false;
};

}  // namespace

int helper_main() {
  // Signals to the whole group are for the builder, which decides. (A session of its own would do
  // that too, but setsid also makes a scheduling group, and the new one waits for its turn on a
  // busy machine.)
  for (const int signal : kIgnored) {
    ::signal(signal, SIG_IGN);
  }
  StepServer server;
  if (!server.open()) {
    return 1;
  }
  Result<bool> more = true;
  while (more && *more) {
    more = server.serve_one();
  }
  return more ? 0 : 1;
}

}  // namespace mybuild::sandbox
