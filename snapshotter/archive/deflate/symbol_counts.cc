// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/archive/deflate/symbol_counts.h"

#include <algorithm>

namespace mybuild::snapshotter::deflate {

namespace {

constexpr unsigned kFraction = 8;  // bits behind the point of logarithms
constexpr unsigned kMantissa = 8;  // bits of a number that its logarithm is looked up by

/// log2(1 + i / 256), rounded to 8 bits: squaring doubles a logarithm, so its bits come one by one.
constexpr std::array<std::uint16_t, 1U << kMantissa> kLogarithms = [] {
  std::array<std::uint16_t, 1U << kMantissa> table{};
  for (std::size_t i = 0; i < table.size(); ++i) {
    std::uint64_t value = ((1U << kMantissa) + i) << (30 - kMantissa);  // 1.0 is 1 << 30
    std::uint32_t log = 0;
    for (unsigned bit = 0; bit <= kFraction; ++bit) {
      value = (value * value) >> 30U;
      log <<= 1U;
      if (value >= std::uint64_t{2} << 30U) {
        log |= 1U;
        value >>= 1U;
      }
    }
    table[i] = static_cast<std::uint16_t>((log + 1) >> 1U);
  }
  return table;
}();

/// log2(count), in 1/256.
std::uint64_t log2_of(std::uint32_t count) {
  const auto exponent = static_cast<unsigned>(std::bit_width(count)) - 1;
  const std::uint32_t mantissa =
      exponent <= kMantissa ? count << (kMantissa - exponent) : count >> (exponent - kMantissa);
  return (exponent << kFraction) + kLogarithms[mantissa & ((1U << kMantissa) - 1)];
}

/// Each of a total of t symbols that occurs n times costs log2(t / n) in an ideal code.
std::uint64_t ideal_bits(std::span<const std::uint32_t> counts) {
  constexpr std::uint64_t kBitsPerSymbol = 3;  // of the description of the code
  std::uint64_t total = 0;
  std::uint64_t known = 0;
  std::uint64_t distinct = 0;
  for (const std::uint32_t count : counts) {
    if (count != 0) {
      total += count;
      known += count * log2_of(count);
      ++distinct;
    }
  }
  if (total == 0) {
    return 0;
  }
  const std::uint64_t all = total * log2_of(static_cast<std::uint32_t>(total));
  return ((all - std::min(all, known)) >> kFraction) + distinct * kBitsPerSymbol;
}

/// Four tables, so that equal bytes in a row do not wait for each other's count.
void count_literals(std::span<const std::uint8_t> literals,
                    std::array<std::uint32_t, kLiteralSymbols>& counts) {
  std::array<std::array<std::uint32_t, 256>, 4> tables{};
  std::size_t i = 0;
  for (; i + 4 <= literals.size(); i += 4) {
    ++tables[0][literals[i]];
    ++tables[1][literals[i + 1]];
    ++tables[2][literals[i + 2]];
    ++tables[3][literals[i + 3]];
  }
  for (; i < literals.size(); ++i) {
    ++tables[0][literals[i]];
  }
  for (std::size_t byte = 0; byte < 256; ++byte) {
    counts[byte] = tables[0][byte] + tables[1][byte] + tables[2][byte] + tables[3][byte];
  }
}

std::size_t extra_bits_of(std::span<const std::uint32_t> counts, std::span<const ExtraBits> extra) {
  std::size_t bits = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    bits += std::size_t{counts[i]} * extra[i].count;
  }
  return bits;
}

}  // namespace

SymbolCounts::SymbolCounts(const SequenceView& content) : SymbolCounts() {
  count_literals(content.literals, literals);
  bytes = content.literals.size();
  for (const Sequence& sequence : content.sequences) {
    if (sequence.length != 0) {
      ++literals[kFirstLength + kLengthSymbol[sequence.length]];
      ++distances[distance_symbol(sequence.distance)];
      bytes += sequence.length;
    }
  }
  extra_bits = extra_bits_of(std::span(literals).subspan(kFirstLength), kLengthExtra) +
               extra_bits_of(distances, kDistanceExtra);
}

SymbolCounts SymbolCounts::with(const SymbolCounts& next) const {
  SymbolCounts both = next;
  for (std::size_t i = 0; i < literals.size(); ++i) {
    both.literals[i] += literals[i];
  }
  for (std::size_t i = 0; i < distances.size(); ++i) {
    both.distances[i] += distances[i];
  }
  both.literals[kEndOfBlock] = 1;
  both.bytes += bytes;
  both.extra_bits += extra_bits;
  return both;
}

std::uint64_t stored_bits(std::size_t bytes) {
  constexpr std::size_t kLengths = 2 * 16;
  const std::size_t pieces = std::max<std::size_t>(1, (bytes + kMaxStored - 1) / kMaxStored);
  return pieces * (kBlockHeaderBits + kLengths) + bytes * 8;
}

std::uint64_t estimate_bits(const SymbolCounts& counts) {
  return std::min(stored_bits(counts.bytes), kBlockHeaderBits + ideal_bits(counts.literals) +
                                                 ideal_bits(counts.distances) + counts.extra_bits);
}

}  // namespace mybuild::snapshotter::deflate
