// SPDX-License-Identifier: Apache-2.0
// Foreground: what passes between our own streams and a container while it runs. Signals that reach
// this process go to the program; with a terminal, our own one is in raw mode and the program has a
// pseudo-terminal of the same size. Streams that need no help are handed on as they are. The
// destructor takes everything back, whatever happened. One per process gets the signals; start, end
// and use it in one thread.
#pragma once

#include "builder/sandbox/sandbox.h"
#include "snapshotter/base/fd.h"
#include "snapshotter/base/result.h"

#include <memory>

namespace mybuild::run {

struct ForegroundOptions {
  bool interactive = false;  // our input goes to the program
  bool terminal = false;     // the program gets a terminal
  int in = 0;
  int out = 1;
  int err = 2;
  int signals = -1;  // more signal numbers for the program, as bytes
};

class Foreground {
 public:
  static Result<std::unique_ptr<Foreground>> start(const ForegroundOptions& options);
  ~Foreground();
  Foreground(const Foreground&) = delete;
  Foreground& operator=(const Foreground&) = delete;

  /// The program's ends; to be taken once.
  sandbox::Stdio take_stdio();
  /// Signal numbers as bytes, for Sandbox::run.
  int signals() const;
  /// The program has ended: passes on what it printed last. The destructor does it too.
  void finish();

 private:
  struct State;
  explicit Foreground(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace mybuild::run
