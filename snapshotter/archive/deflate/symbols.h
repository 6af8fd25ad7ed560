// SPDX-License-Identifier: Apache-2.0
// The alphabets of deflate (RFC 1951, 3.2.5): which symbol a length or a distance has, and how many
// bits follow it. Internal to deflate/.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace mybuild::snapshotter::deflate {

constexpr std::size_t kLiteralSymbols = 286;  // literals, end of block, lengths
constexpr std::size_t kDistanceSymbols = 30;
constexpr std::size_t kEndOfBlock = 256;
constexpr std::size_t kFirstLength = 257;

constexpr std::size_t kMaxMatch = 258;
constexpr std::uint32_t kWindow = 32768;

struct ExtraBits {
  std::uint8_t count = 0;
  std::uint16_t base = 0;  // the smallest value that the symbol stands for
};

/// By symbol - kFirstLength: 3 to 10 plain, then four symbols each with one more bit, 258 plain.
constexpr std::array<ExtraBits, kLiteralSymbols - kFirstLength> kLengthExtra = [] {
  std::array<ExtraBits, kLiteralSymbols - kFirstLength> table{};
  std::uint16_t base = 3;
  for (std::size_t i = 0; i < table.size(); ++i) {
    const auto count = static_cast<std::uint8_t>(i < 8 ? 0 : i / 4 - 1);
    table[i] = {.count = count, .base = base};
    base = static_cast<std::uint16_t>(base + (1U << count));
  }
  table.back() = {.count = 0, .base = kMaxMatch};
  return table;
}();

constexpr std::array<ExtraBits, kDistanceSymbols> kDistanceExtra = [] {
  std::array<ExtraBits, kDistanceSymbols> table{};
  std::uint16_t base = 1;
  for (std::size_t i = 0; i < table.size(); ++i) {
    const auto count = static_cast<std::uint8_t>(i < 4 ? 0 : i / 2 - 1);
    table[i] = {.count = count, .base = base};
    base = static_cast<std::uint16_t>(base + (1U << count));
  }
  return table;
}();

/// By length: its symbol - kFirstLength.
constexpr std::array<std::uint8_t, kMaxMatch + 1> kLengthSymbol = [] {
  std::array<std::uint8_t, kMaxMatch + 1> table{};
  for (std::size_t symbol = 0; symbol < kLengthExtra.size(); ++symbol) {
    for (std::size_t length = kLengthExtra[symbol].base; length <= kMaxMatch; ++length) {
      table[length] = static_cast<std::uint8_t>(symbol);
    }
  }
  return table;
}();

/// `distance` from 1 to kWindow. Each power of two is halved into two symbols.
constexpr std::uint32_t distance_symbol(std::uint32_t distance) {
  const std::uint32_t above = distance - 1;
  if (above < 2) {
    return above;
  }
  const auto log = static_cast<std::uint32_t>(std::bit_width(above)) - 1;
  return 2 * log + ((above >> (log - 1)) & 1U);
}

}  // namespace mybuild::snapshotter::deflate
