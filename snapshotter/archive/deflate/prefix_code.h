// SPDX-License-Identifier: Apache-2.0
// Huffman codes whose lengths are limited (RFC 1951, 3.2.2). Internal to deflate/.
#pragma once

#include <cstdint>
#include <span>

namespace mybuild::snapshotter::deflate {

/// The code lengths of a best code for symbols that occur so often, none longer than `max_length`
/// bits; 0 for those that never occur. A length that Huffman's algorithm makes too long is cut, and
/// a shorter one is made longer for it: near the best, and only where counts differ by a factor of
/// thousands. At most 288 symbols, fewer than 2^max_length of them used. A symbol alone has length
/// 1. Equal counts give equal lengths on every machine: ties are broken by symbol.
void make_lengths(std::span<const std::uint32_t> counts, unsigned max_length,
                  std::span<std::uint8_t> lengths);

/// The canonical code for these lengths, each with its first bit lowest, as the stream wants it.
void make_codes(std::span<const std::uint8_t> lengths, std::span<std::uint16_t> codes);

}  // namespace mybuild::snapshotter::deflate
