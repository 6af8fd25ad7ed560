// SPDX-License-Identifier: Apache-2.0
// SignalGate: SIGINT, SIGTERM and SIGHUP as something the main thread reads, while the work runs on
// another thread. Made before any other thread, since each thread inherits the mask. Main thread
// only.
#pragma once

#include "snapshotter/base/fd.h"
#include "snapshotter/base/result.h"

#include <functional>
#include <optional>

namespace mybuild::cli {

class SignalGate {
 public:
  /// Blocks the signals and ignores SIGPIPE: a closed stream is an error of the write.
  static Result<SignalGate> open();

  /// Runs `work` on a thread of its own until it returns. `on_signal(signal, count)` is called here
  /// for each signal.
  Status run(std::function<void()> work,
             const std::function<void(int signal, int count)>& on_signal);

  /// The first one that came.
  std::optional<int> first_signal() const { return first_; }

 private:
  explicit SignalGate(Fd fd) : fd_(std::move(fd)) {}
  void read_signal(const std::function<void(int, int)>& on_signal);

  Fd fd_;
  std::optional<int> first_;
  int count_ = 0;
};

}  // namespace mybuild::cli
