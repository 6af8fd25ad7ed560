// SPDX-License-Identifier: Apache-2.0
// Relay: bytes from one descriptor to another, a buffer at a time, for a poll(2) loop that serves
// several of them: a slow receiver stops its own direction only. When either end is done, both are
// closed. Move-only, thread-compatible.
#pragma once

#include "snapshotter/base/fd.h"

#include <poll.h>

#include <cstddef>
#include <vector>

namespace mybuild::run {

class Relay {
 public:
  Relay(Fd from, Fd to);

  bool ended() const { return !from_; }
  /// Bytes were read that the receiver has not taken yet.
  bool holds_bytes() const { return begin_ < end_; }
  /// What to wait for; an ended relay waits for nothing.
  struct pollfd wanted() const;
  /// To be called when poll(2) said anything about wanted().
  void step();

 private:
  void read_some();
  void write_some();
  void end();

  Fd from_;
  Fd to_;
  std::size_t most_;  // to write at once
  std::vector<std::byte> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace mybuild::run
