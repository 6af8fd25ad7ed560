// SPDX-License-Identifier: Apache-2.0
// SignalCatcher: while it lives, the signals that a container's program should get arrive as bytes
// in a pipe instead of ending this process. SIGHUP stays ignored where nohup made it so; an ignored
// SIGINT or SIGQUIT is only what a shell does to its background jobs, and is caught. Only one
// object of a process catches; a second one sees nothing.
#pragma once

#include "snapshotter/base/fd.h"
#include "snapshotter/base/result.h"

#include <signal.h>

#include <utility>
#include <vector>

namespace mybuild::run {

class SignalCatcher {
 public:
  static Result<SignalCatcher> start();
  SignalCatcher(SignalCatcher&& other) noexcept;
  SignalCatcher& operator=(SignalCatcher&&) = delete;
  ~SignalCatcher();

  /// One byte per signal.
  int fd() const { return pipe_.read_end.get(); }
  /// Threads of this process may have the signals blocked; the one that calls this can receive
  /// them.
  static void unblock_in_this_thread();

 private:
  explicit SignalCatcher(Pipe pipe) : pipe_(std::move(pipe)) {}
  Pipe pipe_;
  std::vector<std::pair<int, struct sigaction>> before_;
};

}  // namespace mybuild::run
