// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/log.h"

#include "snapshotter/base/sys.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <string>

namespace mybuild::log {

namespace {
std::atomic<bool> debug_on{false};
const std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
}  // namespace

void enable_debug(bool on) {
  debug_on.store(on, std::memory_order_relaxed);
}
bool debug_enabled() {
  return debug_on.load(std::memory_order_relaxed);
}

void write_debug(std::string_view text) {
  const std::chrono::duration<double, std::milli> age = std::chrono::steady_clock::now() - started;
  const std::string line = fmt::format("debug {:9.3f} ms  {}\n", age.count(), text);
  (void)sys::write_all(STDERR_FILENO, as_bytes(line));
}

}  // namespace mybuild::log
