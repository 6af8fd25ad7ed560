// SPDX-License-Identifier: Apache-2.0
// How often each symbol occurs in some sequences, and about how many bits they need. Internal to
// deflate/.
#pragma once

#include "snapshotter/archive/deflate/sequences.h"
#include "snapshotter/archive/deflate/symbols.h"

#include <array>

namespace mybuild::snapshotter::deflate {

/// Of one block: the end of block occurs once.
struct SymbolCounts {
  std::array<std::uint32_t, kLiteralSymbols> literals{};  // lengths and end of block, too
  std::array<std::uint32_t, kDistanceSymbols> distances{};
  std::size_t extra_bits = 0;  // of all lengths and distances
  std::size_t bytes = 0;       // of input

  SymbolCounts() { literals[kEndOfBlock] = 1; }
  explicit SymbolCounts(const SequenceView& content);

  /// Both as one block.
  SymbolCounts with(const SymbolCounts& next) const;
};

/// About how many bits a block of these needs: those of an ideal code, and some to describe it; at
/// most those of the block stored. Whole numbers only, so that every machine sees the same.
std::uint64_t estimate_bits(const SymbolCounts& counts);

/// Bits of a block that is stored, without the up to seven that fill up the byte before its length.
std::uint64_t stored_bits(std::size_t bytes);

constexpr std::size_t kMaxStored = 65535;    // bytes in one stored block
constexpr std::size_t kBlockHeaderBits = 3;  // last or not, and which of the three forms

}  // namespace mybuild::snapshotter::deflate
