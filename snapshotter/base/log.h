// SPDX-License-Identifier: Apache-2.0
// Diagnostics for people who debug mybuild itself; build progress is not a log. Off unless --debug.
// Thread-safe.
#pragma once

#include <fmt/core.h>

#include <string_view>
#include <utility>

namespace mybuild::log {

/// Process-wide, set once by main before the first thread.
void enable_debug(bool on);
bool debug_enabled();
void write_debug(std::string_view text);

template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  if (debug_enabled()) {
    write_debug(fmt::format(format, std::forward<Args>(args)...));
  }
}

}  // namespace mybuild::log
