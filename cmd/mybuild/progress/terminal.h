// SPDX-License-Identifier: Apache-2.0
// What the terminal behind stderr is and can do. Thread-safe.
#pragma once

#include <cstddef>

namespace mybuild::progress {

struct WindowSize {
  std::size_t columns = 80;
  std::size_t rows = 24;
};

struct TerminalTraits {
  bool is_terminal = false;
  bool can_redraw = false;  // it obeys cursor movement (TERM is not "dumb")
  bool color = false;       // and nobody set NO_COLOR
  bool unicode = false;     // the locale says UTF-8
};

/// Asked anew for every frame, so no resize is missed.
WindowSize window_size(int fd);
TerminalTraits terminal_traits(int fd);

}  // namespace mybuild::progress
