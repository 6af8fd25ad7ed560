// SPDX-License-Identifier: Apache-2.0
#include "builder/sandbox/helper_main.h"

#include "builder/sandbox/control.h"
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

Result<SandboxPlan> read_plan(int fd) {
  const struct stat info = TRY(sys::fstat(fd));
  std::string text(static_cast<std::size_t>(info.st_size), '\0');
  TRY(sys::pread_full(fd, std::as_writable_bytes(std::span(text)), 0));
  return parse_plan(text);
}

std::uint64_t namespaces_of(const SandboxPlan& plan) {
  const std::uint64_t always =
      CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
  return plan.network == Network::None ? always | CLONE_NEWNET : always;
}

Result<Inside> start_inside(const SandboxPlan& plan) {
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
    run_inside(plan, setup.child.get());
  }
  return Inside{static_cast<pid_t>(pid), Fd(pidfd), std::move(setup.parent)};
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

Outcome watch(int control, const Inside& inside) {
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

/// Each gets its place in the list as its number. First all go where none of these places are.
Status put_in_place(std::vector<Fd> fds) {
  const int count = static_cast<int>(fds.size());
  for (Fd& fd : fds) {
    const int parked = ::fcntl(fd.get(), F_DUPFD_CLOEXEC, count);
    if (parked < 0) {
      return os_error(errno, "move a descriptor");
    }
    fd = Fd(parked);
  }
  for (int place = 0; place < count; ++place) {
    const int parked = fds[static_cast<std::size_t>(place)].get();
    if (::dup3(parked, place, place > STDERR_FILENO ? O_CLOEXEC : 0) < 0) {
      return os_error(errno, "place a descriptor");
    }
  }
  return {};
}

Result<SandboxExit> run_plan(int plan_fd, int control) {
  const SandboxPlan plan = TRY(read_plan(plan_fd));
  const Inside inside = TRY(start_inside(plan));
  for (int fd = 0; fd < plan_fd; ++fd) {
    if (fd != plan.held_fd) {
      ::close(fd);  // the log pipes must end with the command, secrets belong to it alone
    }
  }
  const std::uint64_t oom_kills = count_oom_kills();  // here, beside the set-up, it costs no time
  const Outcome outcome = watch(control, inside);
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

}  // namespace

int helper_main() {
  // Signals to the whole group are for the builder, which decides. (A session of its own would do
  // that too, but setsid also makes a scheduling group, and the new one waits for its turn on a
  // busy machine.)
  for (const int signal : kIgnored) {
    ::signal(signal, SIG_IGN);
  }
  Result<std::optional<std::vector<Fd>>> fds = receive_descriptors(kControlFd);
  if (!fds || !*fds || (*fds)->empty()) {
    return fds ? 0 : 1;
  }
  const int plan_fd = static_cast<int>((*fds)->size()) - 1;
  const int control = plan_fd + 1;
  (*fds)->emplace_back(kControlFd);
  if (!put_in_place(std::move(**fds))) {
    return 1;
  }
  const Status sent = send_packet(control, encode_report(run_plan(plan_fd, control)));
  return sent ? 0 : 1;
}

}  // namespace mybuild::sandbox
