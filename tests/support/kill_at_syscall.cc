// SPDX-License-Identifier: Apache-2.0
#include "tests/support/kill_at_syscall.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace mybuild {

namespace {

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

[[noreturn]] void run_traced(const std::function<void()>& body) {
  if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) < 0) {
    ::_exit(77);
  }
  ::raise(SIGSTOP);  // the parent counts from here
  body();
  ::_exit(0);
}

}  // namespace

KillOutcome run_and_kill_at_syscall(std::size_t n, const std::function<void()>& body) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    run_traced(body);
  }
  int status = wait_for(pid);
  if (!WIFSTOPPED(status)) {
    return KillOutcome::Impossible;
  }
  // Entry and exit of each call stop the child once: after 2n stops it stands before its n-th call.
  for (std::size_t stops = 0; stops <= 2 * n; ++stops) {
    ::ptrace(PTRACE_SYSCALL, pid, nullptr, nullptr);
    status = wait_for(pid);
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
      return KillOutcome::Finished;
    }
  }
  ::kill(pid, SIGKILL);
  wait_for(pid);
  return KillOutcome::Killed;
}

}  // namespace mybuild
