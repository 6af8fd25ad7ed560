// SPDX-License-Identifier: Apache-2.0
#include "builder/sandbox/init.h"

#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace mybuild::sandbox {

namespace {

/// Reaps what has ended; the exit code once `child` is among it, else -1.
int reap(pid_t child) {
  int code = -1;
  for (;;) {
    int status = 0;
    const pid_t pid = ::waitpid(-1, &status, WNOHANG);
    if (pid <= 0 && !(pid < 0 && errno == EINTR)) {
      return code;
    }
    if (pid == child) {
      code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
  }
}

/// The command gets a process group of its own, in front on the terminal, as it would from a shell.
void take_foreground() {
  ::setpgid(0, 0);
  ::tcsetpgrp(0, ::getpid());  // fails where stdin is no terminal
}

}  // namespace

void run_init(const std::function<void()>& start, int setup) {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &before);  // also keeps SIGTTOU from stopping take_foreground()
  // This program stays in sight of the step as PID 1: nobody may reach its binary through
  // /proc/1/exe.
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  const pid_t child = ::fork();
  if (child == 0) {
    take_foreground();
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    start();
    ::_exit(127);
  }
  if (child < 0) {
    ::_exit(126);
  }
  ::setpgid(child, child);  // as the child does: whoever comes first
  ::close(setup);
  for (;;) {
    int signal = 0;
    if (::sigwait(&all, &signal) != 0) {
      continue;
    }
    if (signal != SIGCHLD) {
      ::kill(-child, signal);
      continue;
    }
    const int code = reap(child);
    if (code >= 0) {
      ::_exit(code);
    }
  }
}

}  // namespace mybuild::sandbox
