// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/child.h"

#include "snapshotter/base/sys.h"

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <set>

namespace mybuild {

namespace {

struct SpawnSetup {
  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
  SpawnSetup() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;
  ~SpawnSetup() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
};

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> list;
  list.reserve(strings.size() + 1);
  for (const std::string& text : strings) {
    list.push_back(const_cast<char*>(text.c_str()));
  }
  list.push_back(nullptr);
  return list;
}

/// Descriptors are first moved out of the way of their own targets, then put in place.
Status map_descriptors(SpawnSetup& setup, const std::vector<std::pair<int, int>>& fds,
                       std::vector<Fd>& parked) {
  int highest = 2;
  std::set<int> targets;
  for (const auto& [ours, theirs] : fds) {
    highest = std::max(highest, theirs);
    targets.insert(theirs);
  }
  for (const auto& [ours, theirs] : fds) {
    const int copy = ::fcntl(ours, F_DUPFD_CLOEXEC, highest + 1);
    if (copy < 0) {
      return os_error(errno, "duplicate a descriptor for a child");
    }
    parked.emplace_back(copy);
    posix_spawn_file_actions_adddup2(&setup.actions, copy, theirs);
  }
  for (int fd = 3; fd < highest; ++fd) {
    if (!targets.contains(fd)) {
      posix_spawn_file_actions_addclose(&setup.actions, fd);
    }
  }
  posix_spawn_file_actions_addclosefrom_np(&setup.actions, highest + 1);
  return {};
}

void reset_signals(SpawnSetup& setup, bool new_session) {
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&setup.attributes, &none);
  posix_spawnattr_setsigdefault(&setup.attributes, &all);
  const int flags =
      POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | (new_session ? POSIX_SPAWN_SETSID : 0);
  posix_spawnattr_setflags(&setup.attributes, static_cast<short>(flags));
}

}  // namespace

Result<Child> Child::spawn(const Options& options) {
  if (options.argv.empty()) {
    return invalid_argument("no program to start");
  }
  SpawnSetup setup;
  std::vector<Fd> parked;
  TRY(map_descriptors(setup, options.fds, parked));
  reset_signals(setup, options.new_session);
  const std::vector<char*> argv = pointers(options.argv);
  const std::vector<char*> env = pointers(options.env);
  pid_t pid = -1;
  const int failure =
      ::posix_spawnp(&pid, argv[0], &setup.actions, &setup.attributes, argv.data(), env.data());
  if (failure != 0) {
    return os_error(failure, "start " + options.argv[0]);
  }
  // The pid cannot be reused before it is waited for, and only we do that.
  Result<Fd> pidfd = sys::pidfd_open(pid);
  if (!pidfd) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return std::move(pidfd).error();
  }
  return Child(pid, std::move(pidfd).value());
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), pidfd_(std::move(other.pidfd_)) {}

Child::~Child() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
}

Status Child::kill(int signal) {
  return sys::pidfd_send_signal(pidfd_.get(), signal);
}

Result<ExitStatus> Child::wait() {
  if (pid_ <= 0) {
    return internal_error("this child was already waited for");
  }
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0) {
    if (errno != EINTR) {
      return os_error(errno, "wait for a child");
    }
  }
  pid_ = -1;
  if (WIFSIGNALED(status)) {
    return ExitStatus{.code = 0, .signal = WTERMSIG(status)};
  }
  return ExitStatus{.code = WEXITSTATUS(status), .signal = 0};
}

}  // namespace mybuild
