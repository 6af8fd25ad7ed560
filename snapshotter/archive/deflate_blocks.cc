// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/archive/deflate_blocks.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace mybuild::snapshotter {

namespace {

constexpr unsigned kMaxCodeLength = 15;
constexpr unsigned kTableBits = 11;
constexpr std::size_t kLiterals = 288;
constexpr std::size_t kDistances = 32;
constexpr std::size_t kEndOfBlock = 256;

Error malformed() {
  return internal_error("the compressor made a malformed deflate stream");
}

/// Random access to bits, least significant first. Past the end there are zeros.
class Bits {
 public:
  explicit Bits(ByteSpan bytes) : bytes_(bytes) {}

  /// At least 56 bits from `position` on.
  std::uint64_t peek(std::size_t position) const {
    static_assert(std::endian::native == std::endian::little);
    const std::size_t byte = position >> 3U;
    std::uint64_t word = 0;
    if (byte + sizeof word <= bytes_.size()) {
      std::memcpy(&word, bytes_.data() + byte, sizeof word);
    } else if (byte < bytes_.size()) {
      std::memcpy(&word, bytes_.data() + byte, bytes_.size() - byte);
    }
    return word >> (position & 7U);
  }
  std::size_t size() const { return bytes_.size() * 8; }

 private:
  ByteSpan bytes_;
};

/// What a symbol means to somebody who only wants to get past it.
struct Meaning {
  std::uint8_t payload = 0;
  std::uint8_t extra_bits = 0;
};
enum Kind : std::uint8_t { kLiteral, kMatch, kEnd, kInvalid };

/// A canonical Huffman code. Short codes are found in one look-up, the rare long ones by walking
/// the lengths.
class Code {
 public:
  struct Symbol {
    std::uint8_t bits = 0;  // of the code and its extra bits; 0: no such code
    std::uint8_t payload = 0;
  };

  Code(std::span<const std::uint8_t> lengths, std::span<const Meaning> meanings)
      : meanings_(meanings) {
    for (const std::uint8_t length : lengths) {
      ++count_[length];
    }
    count_[0] = 0;
    std::array<std::uint16_t, kMaxCodeLength + 2> offset{};
    for (unsigned length = 1; length <= kMaxCodeLength; ++length) {
      offset[length + 1] = static_cast<std::uint16_t>(offset[length] + count_[length]);
    }
    for (std::size_t symbol = 0; symbol < lengths.size(); ++symbol) {
      if (lengths[symbol] != 0) {
        sorted_[offset[lengths[symbol]]++] = static_cast<std::uint16_t>(symbol);
      }
    }
    fill_table();
  }

  /// Looks at no more than kMaxCodeLength bits.
  Symbol decode(std::uint64_t bits) const {
    const Symbol quick = table_[bits & (kTableSize - 1)];
    return quick.bits != 0 ? quick : decode_long(bits);
  }

  /// Lets one look-up step over two literals where both fit.
  void pair_literals() {
    for (std::size_t slot = kTableSize; slot-- > 0;) {
      Symbol& first = table_[slot];
      const Symbol second = table_[slot >> first.bits];  // not yet paired: a smaller slot
      if (first.bits != 0 && first.payload == kLiteral && second.bits != 0 &&
          second.payload == kLiteral && first.bits + second.bits <= kTableBits) {
        first.bits = static_cast<std::uint8_t>(first.bits + second.bits);
      }
    }
  }

 private:
  static constexpr std::size_t kTableSize = std::size_t{1} << kTableBits;

  Symbol symbol_at(unsigned index, unsigned length) const {
    const Meaning meaning = meanings_[sorted_[index]];
    return {static_cast<std::uint8_t>(length + meaning.extra_bits), meaning.payload};
  }

  /// Codes of one length are consecutive numbers, so each length needs one comparison.
  Symbol decode_long(std::uint64_t bits) const {
    unsigned code = 0;
    unsigned first = 0;
    unsigned index = 0;
    for (unsigned length = 1; length <= kMaxCodeLength; ++length) {
      code |= static_cast<unsigned>(bits & 1U);
      bits >>= 1U;
      const unsigned count = count_[length];
      if (code - first < count) {  // unsigned: also false when the code lies below
        return symbol_at(index + code - first, length);
      }
      index += count;
      first = (first + count) << 1U;
      code <<= 1U;
    }
    return {};
  }

  void fill_table() {
    unsigned code = 0;
    unsigned index = 0;
    for (unsigned length = 1; length <= kTableBits; ++length) {
      for (unsigned i = 0; i < count_[length]; ++i, ++code, ++index) {
        unsigned reversed = 0;
        for (unsigned bit = 0; bit < length; ++bit) {
          reversed |= ((code >> bit) & 1U) << (length - 1 - bit);
        }
        const Symbol symbol = symbol_at(index, length);
        for (std::size_t slot = reversed; slot < kTableSize; slot += std::size_t{1} << length) {
          table_[slot] = symbol;
        }
      }
      code <<= 1U;
    }
  }

  std::span<const Meaning> meanings_;  // by symbol
  std::array<std::uint16_t, kMaxCodeLength + 1> count_{};
  std::array<std::uint16_t, kLiterals> sorted_{};
  std::array<Symbol, kTableSize> table_{};
};

constexpr std::array<Meaning, kLiterals> literal_meanings() {
  std::array<Meaning, kLiterals> meanings{};
  constexpr std::size_t kFirstLength = kEndOfBlock + 1;
  meanings[kEndOfBlock] = {kEnd, 0};
  for (std::size_t i = kFirstLength; i < kLiterals; ++i) {
    const std::size_t index =
        i - kFirstLength;  // lengths 3 … 10 plain, then four each with one more bit, 258 plain
    const std::size_t extra = index < 8 || index == 28 ? 0 : index / 4 - 1;
    meanings[i] = {index > 28 ? kInvalid : kMatch, static_cast<std::uint8_t>(extra)};
  }
  return meanings;
}
constexpr std::array<Meaning, kDistances> distance_meanings() {
  std::array<Meaning, kDistances> meanings{};
  for (std::size_t i = 0; i < kDistances; ++i) {
    meanings[i] = {i < 30 ? kMatch : kInvalid, static_cast<std::uint8_t>(i < 4 ? 0 : i / 2 - 1)};
  }
  return meanings;
}
constexpr std::array<Meaning, 19> length_meanings() {
  std::array<Meaning, 19> meanings{};
  for (std::size_t i = 0; i < meanings.size(); ++i) {
    meanings[i].payload = static_cast<std::uint8_t>(i);
  }
  return meanings;
}
constexpr std::array<Meaning, kLiterals> kLiteralMeanings = literal_meanings();
constexpr std::array<Meaning, kDistances> kDistanceMeanings = distance_meanings();
constexpr std::array<Meaning, 19> kLengthMeanings = length_meanings();

/// Position after the end-of-block symbol of a compressed block.
Result<std::size_t> skip_symbols(const Bits& bits, std::size_t position,
                                 std::span<const std::uint8_t> literal_lengths,
                                 std::span<const std::uint8_t> distance_lengths) {
  Code literals(literal_lengths, kLiteralMeanings);
  literals.pair_literals();
  const Code distances(distance_lengths, kDistanceMeanings);
  while (position < bits.size()) {
    // The window holds a literal, a length with its extra bits and a distance code: 15 + 20 + 15 of
    // 56 bits.
    std::uint64_t window = bits.peek(position);
    Code::Symbol symbol = literals.decode(window);
    if (symbol.payload == kLiteral && symbol.bits != 0) {
      position += symbol.bits;
      window >>= symbol.bits;
      symbol = literals.decode(window);
    }
    if (symbol.bits == 0 || symbol.payload == kInvalid) {
      break;
    }
    position += symbol.bits;
    if (symbol.payload == kEnd) {
      return position;
    }
    if (symbol.payload == kMatch) {
      const Code::Symbol distance = distances.decode(window >> symbol.bits);
      if (distance.bits == 0 || distance.payload == kInvalid) {
        break;
      }
      position += distance.bits;
    }
  }
  return malformed();
}

Result<std::size_t> skip_stored(const Bits& bits, std::size_t position) {
  position = (position + 7) / 8 * 8;
  const std::size_t length = bits.peek(position) & 0xffffU;
  return position + 32 + length * 8;
}

Result<std::size_t> skip_fixed(const Bits& bits, std::size_t position) {
  std::array<std::uint8_t, kLiterals> lengths{};
  std::fill_n(lengths.begin(), 144, std::uint8_t{8});
  std::fill_n(lengths.begin() + 144, 112, std::uint8_t{9});
  std::fill_n(lengths.begin() + 256, 24, std::uint8_t{7});
  std::fill_n(lengths.begin() + 280, 8, std::uint8_t{8});
  std::array<std::uint8_t, kDistances> distance_lengths{};
  distance_lengths.fill(5);
  return skip_symbols(bits, position, lengths, distance_lengths);
}

/// The run-length coded code lengths of a dynamic block: 16 repeats the last one, 17 and 18 are
/// runs of zeros.
Result<std::size_t> read_lengths(const Bits& bits, std::size_t position, const Code& code,
                                 std::span<std::uint8_t> lengths) {
  std::size_t filled = 0;
  while (filled < lengths.size()) {
    const std::uint64_t window = bits.peek(position);
    const Code::Symbol symbol = code.decode(window);
    if (symbol.bits == 0 || position >= bits.size()) {
      return malformed();
    }
    position += symbol.bits;
    if (symbol.payload < 16) {
      lengths[filled++] = symbol.payload;
      continue;
    }
    constexpr std::array<std::uint8_t, 3> kRunBits = {2, 3, 7};
    constexpr std::array<std::uint8_t, 3> kRunBase = {3, 3, 11};
    const std::size_t kind = symbol.payload - 16U;
    const std::uint64_t extra = (window >> symbol.bits) & ((1U << kRunBits[kind]) - 1);
    const std::size_t run = kRunBase[kind] + static_cast<std::size_t>(extra);
    if (run > lengths.size() - filled || (kind == 0 && filled == 0)) {
      return malformed();
    }
    const std::uint8_t repeated = kind == 0 ? lengths[filled - 1] : std::uint8_t{0};
    std::fill_n(lengths.begin() + static_cast<std::ptrdiff_t>(filled), run, repeated);
    filled += run;
    position += kRunBits[kind];
  }
  return position;
}

Result<std::size_t> skip_dynamic(const Bits& bits, std::size_t position) {
  constexpr std::array<std::uint8_t, 19> kOrder = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                   11, 4,  12, 3, 13, 2, 14, 1, 15};
  const std::uint64_t counts = bits.peek(position);
  const std::size_t literal_count = 257 + (counts & 31U);
  const std::size_t distance_count = 1 + ((counts >> 5U) & 31U);
  const std::size_t code_count = 4 + ((counts >> 10U) & 15U);
  position += 14;
  std::array<std::uint8_t, kOrder.size()> code_lengths{};
  for (std::size_t i = 0; i < code_count; ++i, position += 3) {
    code_lengths[kOrder[i]] = static_cast<std::uint8_t>(bits.peek(position) & 7U);
  }
  if (literal_count > kLiterals) {
    return malformed();
  }
  std::array<std::uint8_t, kLiterals + kDistances> lengths{};
  const std::span all(lengths.data(), literal_count + distance_count);
  position = TRY(read_lengths(bits, position, Code(code_lengths, kLengthMeanings), all));
  return skip_symbols(bits, position, all.first(literal_count), all.subspan(literal_count));
}

using Skip = Result<std::size_t> (*)(const Bits&, std::size_t);
constexpr std::array<Skip, 3> kSkips = {skip_stored, skip_fixed, skip_dynamic};

}  // namespace

Result<LastBlock> find_last_block(ByteSpan deflate) {
  const Bits bits(deflate);
  for (std::size_t begin = 0; begin < bits.size();) {
    const std::uint64_t header = bits.peek(begin);
    const auto type = static_cast<std::size_t>((header >> 1U) & 3U);
    if (type >= kSkips.size()) {
      break;
    }
    const std::size_t end = TRY(kSkips[type](bits, begin + 3));
    if ((header & 1U) != 0) {
      return end <= bits.size() ? Result(LastBlock{begin, end}) : malformed();
    }
    begin = end;
  }
  return malformed();
}

Status make_continuable(std::vector<std::byte>& deflate) {
  const LastBlock last = TRY(find_last_block(deflate));
  deflate[last.begin / 8] &= ~(std::byte{1} << (last.begin % 8));
  if (last.end % 8 == 0) {
    return {};
  }
  // An empty stored block: three zero bits, zeros up to the byte, then length 0 and its complement.
  // The compressor filled its last byte with zeros.
  deflate.resize((last.end + 3 + 7) / 8);
  constexpr std::array<std::byte, 4> kEmpty = {std::byte{0}, std::byte{0}, std::byte{0xff},
                                               std::byte{0xff}};
  deflate.insert(deflate.end(), kEmpty.begin(), kEmpty.end());
  return {};
}

}  // namespace mybuild::snapshotter
