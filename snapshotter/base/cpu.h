// SPDX-License-Identifier: Apache-2.0
// cpu: the one place where compute runs in parallel, by oneTBB, which is loaded when it is first
// needed. Bodies compute; they never wait for sockets, processes or locks that are held across I/O.
// Who waits for bodies runs those that no other thread has begun; bodies may wait for bodies.
// Thread-safe.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace mybuild::cpu {

/// How many bodies can run at once.
std::size_t parallelism();
/// Runs body(0) … body(count - 1), in any order, on all cores; returns when all are done. Bodies do
/// not throw.
void for_each(std::size_t count, const std::function<void(std::size_t)>& body);

/// Bodies that run beside whoever starts them. Thread-compatible.
class Group {
 public:
  Group();
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  /// Waits.
  ~Group();

  /// Runs `body` as soon as a core has nothing else to do, on a single one in wait(). It does not
  /// throw.
  void run(std::function<void()> body);
  /// Until all bodies are done. This thread runs those that no other has begun.
  void wait();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// While one lives, no more than `cores` bodies run at once in the whole process; the smallest
/// limit counts.
class Limit {
 public:
  explicit Limit(std::size_t cores);
  Limit(const Limit&) = delete;
  Limit& operator=(const Limit&) = delete;
  ~Limit();

 private:
  const std::size_t cores_;
};

}  // namespace mybuild::cpu
