// SPDX-License-Identifier: Apache-2.0
// RunLock: the sign that a container runs, and the way to reach it. It is a FIFO that whoever runs
// the container holds open and locked (flock) until its last process is gone; signal numbers that
// others write into it come out there. No process id is involved, so it means the same in every PID
// namespace and nothing can be mistaken for it. Move-only, thread-compatible, safe between
// processes; making and judging it needs the store's gate.
#pragma once

#include "snapshotter/base/fd.h"
#include "snapshotter/base/result.h"

#include <chrono>
#include <optional>
#include <string>

namespace mybuild::run {

class RunLock {
 public:
  /// nullopt when somebody else has it.
  static Result<std::optional<RunLock>> try_acquire(const std::string& path);
  RunLock(RunLock&& other) noexcept;
  RunLock& operator=(RunLock&&) = delete;
  /// Takes the sign away: nothing runs any more.
  ~RunLock();

  /// Never blocks; signal numbers as bytes. A process that inherits it shares the lock.
  int fd() const { return fd_.get(); }

 private:
  RunLock(std::string path, Fd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  std::string path_;
  Fd fd_;
};

/// The far end of somebody else's RunLock.
class RunningPeer {
 public:
  /// nullopt when nobody holds the lock.
  static Result<std::optional<RunningPeer>> reach(const std::string& path);

  Status send(int signal);
  /// False when the container still runs after `timeout`; negative: no limit.
  Result<bool> wait_for_end(std::chrono::milliseconds timeout);

 private:
  explicit RunningPeer(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace mybuild::run
