// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/archive/deflate/block_writer.h"

#include "snapshotter/archive/deflate/code_description.h"
#include "snapshotter/archive/deflate/prefix_code.h"

#include <algorithm>

namespace mybuild::snapshotter::deflate {

namespace {

/// Literals have one bit less than they could, so that four of them fit between two flushes, as do
/// a length and a distance with their extra bits.
constexpr unsigned kMaxLiteralLength = 14;
constexpr unsigned kMaxDistanceLength = 15;
static_assert(4 * kMaxLiteralLength <= BitWriter::kRoom);
static_assert(kMaxLiteralLength + 5 + kMaxDistanceLength + 13 <= BitWriter::kRoom);

enum class BlockType : std::uint8_t { Stored = 0, Fixed = 1, Dynamic = 2 };

void put_header(BitWriter& out, BlockType type, bool last) {
  out.put((last ? 1U : 0U) | (static_cast<unsigned>(type) << 1U), kBlockHeaderBits);
  out.flush();
}

void write_stored_piece(BitWriter& out, std::span<const std::uint8_t> input, bool last) {
  put_header(out, BlockType::Stored, last);
  out.align();
  out.put(input.size(), 16);
  out.put(~input.size() & 0xffffU, 16);
  out.flush();
  if (!input.empty()) {
    out.copy(input.data(), input.size());
  }
}

void write_stored(BitWriter& out, std::span<const std::uint8_t> input, bool last) {
  while (input.size() > kMaxStored) {
    write_stored_piece(out, input.first(kMaxStored), false);
    input = input.subspan(kMaxStored);
  }
  write_stored_piece(out, input, last);
}

/// Both codes of a block, as the lengths they are made of. The fixed code of literals has two
/// symbols that never occur.
struct CodeLengths {
  std::array<std::uint8_t, kLiteralSymbols + 2> literals{};
  std::array<std::uint8_t, kDistanceSymbols> distances{};
};

/// RFC 1951, 3.2.6.
constexpr CodeLengths kFixed = [] {
  CodeLengths lengths;
  std::fill_n(lengths.literals.begin(), 144, std::uint8_t{8});
  std::fill_n(lengths.literals.begin() + 144, 112, std::uint8_t{9});
  std::fill_n(lengths.literals.begin() + 256, 24, std::uint8_t{7});
  std::fill(lengths.literals.begin() + 280, lengths.literals.end(), std::uint8_t{8});
  lengths.distances.fill(5);
  return lengths;
}();

CodeLengths best_lengths(const SymbolCounts& counts) {
  CodeLengths lengths;
  make_lengths(counts.literals, kMaxLiteralLength,
               std::span(lengths.literals).first<kLiteralSymbols>());
  make_lengths(counts.distances, kMaxDistanceLength, lengths.distances);
  return lengths;
}

std::uint64_t coded_bits(const SymbolCounts& counts, const CodeLengths& lengths) {
  std::uint64_t bits = kBlockHeaderBits + counts.extra_bits;
  for (std::size_t i = 0; i < kLiteralSymbols; ++i) {
    bits += std::uint64_t{counts.literals[i]} * lengths.literals[i];
  }
  for (std::size_t i = 0; i < kDistanceSymbols; ++i) {
    bits += std::uint64_t{counts.distances[i]} * lengths.distances[i];
  }
  return bits;
}

/// Bits and how many they are: bits << 8 | count.
using Bits = std::uint32_t;

Bits make_bits(std::uint32_t bits, unsigned count) {
  return (bits << 8U) | count;
}
void put(BitWriter& out, Bits bits) {
  out.put(bits >> 8U, bits & 0xffU);
}

/// The codes by what they stand for. Extra bits of lengths are part of them.
struct CodeTables {
  std::array<Bits, kEndOfBlock + 1> literals;
  std::array<Bits, kMaxMatch + 1> lengths;
  std::array<Bits, kDistanceSymbols> distances;

  explicit CodeTables(const CodeLengths& code) {
    std::array<std::uint16_t, kLiteralSymbols + 2> literal_codes;
    make_codes(code.literals, literal_codes);
    for (std::size_t i = 0; i < literals.size(); ++i) {
      literals[i] = make_bits(literal_codes[i], code.literals[i]);
    }
    for (std::size_t length = kLengthExtra[0].base; length < lengths.size(); ++length) {
      const std::size_t symbol = kLengthSymbol[length];
      const ExtraBits& extra = kLengthExtra[symbol];
      const unsigned bits = code.literals[kFirstLength + symbol];
      const auto above = static_cast<std::uint32_t>(length - extra.base);
      lengths[length] =
          make_bits(literal_codes[kFirstLength + symbol] | (above << bits), bits + extra.count);
    }
    std::array<std::uint16_t, kDistanceSymbols> distance_codes;
    make_codes(code.distances, distance_codes);
    for (std::size_t i = 0; i < distances.size(); ++i) {
      distances[i] = make_bits(distance_codes[i], code.distances[i]);
    }
  }
};

/// Up to three bytes behind the literals are read.
inline void write_literals(BitWriter& out, const CodeTables& codes, const std::uint8_t* literals,
                           std::size_t count) {
  for (; count > 4; count -= 4, literals += 4) {
    put(out, codes.literals[literals[0]]);
    put(out, codes.literals[literals[1]]);
    put(out, codes.literals[literals[2]]);
    put(out, codes.literals[literals[3]]);
    out.flush();
  }
  // None to four are left. Nobody can predict how many, so no branch depends on it: those that are
  // not there become no bits.
  const auto only_if = [](bool there) { return Bits{0} - Bits{there}; };
  put(out, codes.literals[literals[0]] & only_if(count > 0));
  put(out, codes.literals[literals[1]] & only_if(count > 1));
  put(out, codes.literals[literals[2]] & only_if(count > 2));
  put(out, codes.literals[literals[3]] & only_if(count > 3));
  out.flush();
}

void write_sequences(BitWriter& stream, const SequenceView& content, const CodeLengths& lengths) {
  const CodeTables codes(lengths);
  BitWriter out = stream;  // a copy can live in registers
  const std::uint8_t* literals = content.literals.data();
  for (const Sequence& sequence : content.sequences) {
    write_literals(out, codes, literals, sequence.literals);
    literals += sequence.literals;
    if (sequence.length != 0) {
      const std::uint32_t symbol = distance_symbol(sequence.distance);
      const ExtraBits& extra = kDistanceExtra[symbol];
      put(out, codes.lengths[sequence.length]);
      put(out, codes.distances[symbol]);
      out.put(std::uint64_t{sequence.distance} - extra.base, extra.count);
      out.flush();
    }
  }
  put(out, codes.literals[kEndOfBlock]);
  out.flush();
  stream = out;
}

}  // namespace

void write_block(BitWriter& out, const Block& block, bool last) {
  const std::span input(block.input, block.counts.bytes);
  const std::uint64_t stored = stored_bits(input.size());
  if (estimate_bits(block.counts) >= stored) {  // no code is better than an ideal one
    write_stored(out, input, last);
    return;
  }
  const CodeLengths best = best_lengths(block.counts);
  const CodeDescription description(std::span(best.literals).first<kLiteralSymbols>(),
                                    best.distances);
  const std::uint64_t dynamic = description.bits() + coded_bits(block.counts, best);
  const std::uint64_t fixed = coded_bits(block.counts, kFixed);
  if (stored <= std::min(dynamic, fixed)) {
    write_stored(out, input, last);
  } else if (fixed <= dynamic) {
    put_header(out, BlockType::Fixed, last);
    write_sequences(out, block.content, kFixed);
  } else {
    put_header(out, BlockType::Dynamic, last);
    description.write(out);
    write_sequences(out, block.content, best);
  }
}

void write_empty_block(BitWriter& out) {
  write_stored_piece(out, {}, false);
}

}  // namespace mybuild::snapshotter::deflate
