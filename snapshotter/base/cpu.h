// SPDX-License-Identifier: Apache-2.0
// cpu: the one place where compute runs in parallel (oneTBB; cpu_serial.cc is the serial twin for
// sanitizers and tests). Bodies compute; they never wait for sockets, processes or locks that are
// held across I/O. Thread-safe.
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

/// While one lives, no more than `cores` bodies run at once in the whole process; the smallest
/// limit counts.
class Limit {
 public:
  explicit Limit(std::size_t cores);
  Limit(const Limit&) = delete;
  Limit& operator=(const Limit&) = delete;
  ~Limit();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mybuild::cpu
