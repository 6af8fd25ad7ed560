// SPDX-License-Identifier: Apache-2.0
// Child: a process made by posix_spawn (the only way that is safe with other threads running) and
// watched by a pidfd. The destructor kills and reaps it. Move-only, thread-compatible.
#pragma once

#include "snapshotter/base/fd.h"
#include "snapshotter/base/result.h"

#include <string>
#include <utility>
#include <vector>

namespace mybuild {

struct ExitStatus {
  int code = 0;    // exit code, when signal is 0
  int signal = 0;  // the signal that ended it
  bool success() const { return code == 0 && signal == 0; }
};

class Child {
 public:
  struct Options {
    std::vector<std::string> argv;  // argv[0] is looked up in PATH unless it has a slash
    std::vector<std::string> env;   // "K=V"; all of it, nothing is inherited
    std::vector<std::pair<int, int>>
        fds;  // {ours, theirs}: all other descriptors above 2 are closed
    bool new_session = false;
  };
  static Result<Child> spawn(const Options& options);
  Child(Child&& other) noexcept;
  Child& operator=(Child&&) = delete;
  ~Child();

  pid_t pid() const { return pid_; }
  int pidfd() const { return pidfd_.get(); }
  Status kill(int signal);
  Result<ExitStatus> wait();

 private:
  Child(pid_t pid, Fd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
  pid_t pid_;
  Fd pidfd_;
};

}  // namespace mybuild
