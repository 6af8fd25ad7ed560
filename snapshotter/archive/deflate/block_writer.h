// SPDX-License-Identifier: Apache-2.0
// One deflate block in the shortest of its three forms (RFC 1951, 3.2.3). Internal to deflate/.
#pragma once

#include "snapshotter/archive/deflate/bit_writer.h"
#include "snapshotter/archive/deflate/symbol_counts.h"

namespace mybuild::snapshotter::deflate {

struct Block {
  const std::uint8_t* input = nullptr;  // counts.bytes of them
  SequenceView content;                 // what it was parsed to
  const SymbolCounts& counts;           // of that
};

/// `last`: the stream ends with it. Needs no more room than the input, stored.
void write_block(BitWriter& out, const Block& block, bool last);

/// A block that holds nothing and ends at a byte (zlib's sync flush).
void write_empty_block(BitWriter& out);

}  // namespace mybuild::snapshotter::deflate
