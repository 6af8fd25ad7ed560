// SPDX-License-Identifier: Apache-2.0
// Cuts input into sequences: at each position the copy that the match finder has, unless one of the
// next two positions has a longer one. Internal to deflate/. Thread-compatible.
#pragma once

#include "snapshotter/archive/deflate/match_finder.h"
#include "snapshotter/archive/deflate/sequences.h"
#include "snapshotter/base/bytes.h"

namespace mybuild::snapshotter::deflate {

class Parser {
 public:
  /// Begins with another input, which must stay; nothing of the last one is remembered.
  void start(ByteSpan input);
  bool at_end() const { return parsed_ == size_; }
  /// Parses `count` bytes, a few more when a copy leads beyond them, or what is left.
  void parse(std::size_t count, Sequences& out);

 private:
  bool scan(std::size_t position, std::size_t count);
  void choose(std::size_t position, std::size_t count, Sequences& out);
  void take(std::size_t position, std::size_t index, Sequences& out);

  MatchFinder finder_;
  const std::uint8_t* input_ = nullptr;
  std::size_t size_ = 0;
  std::size_t parsed_ = 0;  // all before it is in sequences
  std::size_t quiet_ = 0;   // segments in a row without a copy
};

}  // namespace mybuild::snapshotter::deflate
