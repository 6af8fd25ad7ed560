// SPDX-License-Identifier: Apache-2.0
// Lanes: named pools of threads that may block (ARCHITECTURE.md, "Threads"). A task never waits for
// another task of a lane, unless it steps aside for that; work that fans out uses fan_out, where
// the caller does what no idle thread takes, so bounded lanes cannot deadlock. Threads start when a
// task needs one and end with the object. Thread-safe.
#pragma once

#include "snapshotter/base/result.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

namespace mybuild {

enum class Lane {
  Exec,  // one running step each; no cap, as a step that sleeps must not hold back another
  Net,   // sockets
  Disk,  // file I/O, mounts, short database writes
};

class Lanes {
 public:
  struct Caps {
    std::size_t exec = 0;  // 0: no cap
    std::size_t net = 16;
    std::size_t disk = 8;
  };
  explicit Lanes(Caps caps);
  /// Runs what was posted to its end, then joins.
  ~Lanes();
  Lanes(const Lanes&) = delete;
  Lanes& operator=(const Lanes&) = delete;

  /// Of tasks that wait for a thread the one with the highest priority is next, of equal ones the
  /// one that was posted first.
  void post(Lane lane, std::function<void()> task, std::uint32_t priority = 0);
  /// Threads that tasks are going to need: none can be started while another thread is in dlopen().
  void begin_threads(Lane lane, std::size_t count);
  /// For a task that has to wait for somebody else, another process maybe: lets another task of the
  /// lane run meanwhile, and comes back once the cap has room again. Elsewhere than on a thread of
  /// the lane it is just the call.
  void step_aside(Lane lane, const std::function<void()>& wait);
  /// Runs body(0) … body(count - 1), on idle threads of the lane and on the calling one; returns
  /// the first error by index.
  Status fan_out(Lane lane, std::size_t count, const std::function<Status(std::size_t)>& body);

 private:
  class Pool;
  std::unique_ptr<Pool> pools_[3];
};

}  // namespace mybuild
