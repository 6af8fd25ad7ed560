// SPDX-License-Identifier: Apache-2.0
// Terminals: a pseudo-terminal for a program, and our own terminal in raw mode while the program
// has it.
#pragma once

#include "snapshotter/base/fd.h"
#include "snapshotter/base/result.h"

#include <termios.h>

#include <utility>

namespace mybuild::run {

struct PseudoTerminal {
  Fd master;  // non-blocking
  Fd slave;
};
Result<PseudoTerminal> open_pseudo_terminal();

/// Gives `to` the size of the terminal `from`; nothing happens if `from` is none.
void copy_window_size(int from, int to);

/// Keys go to the program as they are, Ctrl-C included. The destructor restores what was.
/// Move-only.
class RawMode {
 public:
  static Result<RawMode> enter(int fd);
  RawMode(RawMode&& other) noexcept;
  RawMode& operator=(RawMode&&) = delete;
  ~RawMode();

 private:
  RawMode(Fd fd, const struct termios& before) : fd_(std::move(fd)), before_(before) {}
  Fd fd_;
  struct termios before_;
};

}  // namespace mybuild::run
