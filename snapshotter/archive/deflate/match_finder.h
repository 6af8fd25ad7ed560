// SPDX-License-Identifier: Apache-2.0
// Finds earlier bytes that equal those at a position: one place is remembered for each hash of four
// bytes. Internal to deflate/. Thread-compatible.
#pragma once

#include "snapshotter/archive/deflate/symbols.h"
#include "snapshotter/archive/deflate/wide.h"

#include <array>
#include <bit>

namespace mybuild::snapshotter::deflate {

/// Looks at all positions of a segment at once, also at those that a copy will lead over: that
/// takes no branch that depends on the input, and what is found stays to choose from.
class MatchFinder {
 public:
  static constexpr std::size_t kSegment = 256;

  void reset() { places_.fill(0); }

  /// Looks for a copy at `count` positions, at most kSegment, the first of which is not 0;
  /// kCompared bytes lie behind each. True if one is worth taking.
  bool scan(const std::uint8_t* input, std::size_t position, std::size_t count);
  /// Looks at every `stride`th position only.
  bool scan_some(const std::uint8_t* input, std::size_t position, std::size_t count,
                 std::size_t stride);

  /// The first index of the segment, not before `from`, with a copy worth taking; else kSegment.
  std::size_t next(std::size_t from) const {
    std::size_t word = from / 64;
    std::uint64_t bits = worth_[word] >> (from % 64) << (from % 64);
    while (bits == 0) {
      if (++word == worth_.size()) {
        return kSegment;
      }
      bits = worth_[word];
    }
    return word * 64 + static_cast<std::size_t>(std::countr_zero(bits));
  }

  /// At an index: how long the copy is, which may be longer at kCompared; 0 if there is none.
  /// kLookahead indices beyond the segment have none.
  std::uint32_t length(std::size_t index) const { return lengths_[index]; }
  std::uint32_t distance(std::size_t index) const { return distances_[index] + 1U; }
  static constexpr std::size_t kLookahead = 2;

 private:
  static constexpr unsigned kHashBits = 15;

  bool judge();

  /// By hash, the low 16 bits of a position. Empty is 0: a place like any other, since what lies
  /// there is compared.
  std::array<std::uint16_t, std::size_t{1} << kHashBits> places_{};
  std::array<std::uint16_t, kSegment> distances_{};  // less one; beyond the window: none
  std::array<std::uint16_t, kSegment + kLookahead> lengths_{};
  std::array<std::uint64_t, kSegment / 64> worth_{};  // a bit for each index
};

}  // namespace mybuild::snapshotter::deflate
