// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/archive/deflate/block_writer.h"

#include "snapshotter/archive/deflate/code_description.h"
#include "tests/deflate/inflate.h"

#include <gtest/gtest.h>

#include <numeric>
#include <random>

namespace mybuild::snapshotter::deflate {
namespace {

using testing_support::inflate_thrice;

enum Type { kStored, kFixed, kDynamic };

/// A block made of sequences by hand, with what it must be read as.
struct Made {
  std::string text;
  Sequences sequences{std::size_t{1} << 22U, std::size_t{1} << 16U};

  void add(std::string_view literals, std::size_t length, std::size_t distance) {
    std::string padded(literals);
    padded.resize(literals.size() + Sequences::kSlack);
    sequences.append(reinterpret_cast<const std::uint8_t*>(padded.data()), literals.size(), length,
                     distance);
    text += literals;
    for (std::size_t i = 0; i < length; ++i) {
      text.push_back(text[text.size() - distance]);
    }
  }

  /// Written as the last block.
  std::string write() const {
    const SymbolCounts counts(sequences.view());
    EXPECT_EQ(counts.bytes, text.size());
    std::string out(text.size() * 2 + 1000, '\0');
    BitWriter writer(reinterpret_cast<std::uint8_t*>(out.data()));
    write_block(writer,
                {.input = reinterpret_cast<const std::uint8_t*>(text.data()),
                 .content = sequences.view(),
                 .counts = counts},
                true);
    writer.align();
    out.resize(writer.size());
    EXPECT_LE(out.size(), (stored_bits(text.size()) + 7) / 8 + 1);
    return out;
  }
};

Type type_of(std::string_view deflate) {
  return static_cast<Type>((static_cast<unsigned char>(deflate[0]) >> 1U) & 3U);
}

TEST(BlockWriter, NothingIsTwoBytes) {
  EXPECT_EQ(Made().write(), std::string("\x03\x00", 2));
}

TEST(BlockWriter, ShortTextsTakeTheFixedCode) {
  Made made;
  made.add("a\x90\xff", 0, 0);  // codes of eight and of nine bits
  made.add("", 5, 3);
  const std::string out = made.write();
  EXPECT_EQ(type_of(out), kFixed);
  EXPECT_EQ(inflate_thrice(as_bytes(out), made.text.size()), made.text);
}

TEST(BlockWriter, SaysEveryLengthAndManyDistances) {
  std::mt19937 random(1);
  Made made;
  std::string start(kWindow, '\0');
  for (char& byte : start) {
    byte = static_cast<char>(random() % 7);
  }
  made.add(start, 3, 1);
  for (std::size_t length = 3; length <= kMaxMatch; ++length) {
    made.add("x", length, length);
    made.add("", length, 1 + random() % kWindow);
  }
  for (const ExtraBits& distance : kDistanceExtra) {
    made.add("", 4, distance.base);
    made.add("y", 5, distance.base + (1U << distance.count) - 1);
  }
  const std::string out = made.write();
  EXPECT_EQ(type_of(out), kDynamic);
  EXPECT_TRUE(inflate_thrice(as_bytes(out), made.text.size()) == made.text);
}

TEST(BlockWriter, FourLiteralsOfTheLongestCodesFitBetweenTwoFlushes) {
  // Fibonacci's counts: the rarest have codes of 14 bits, and stand in a row, with the longest
  // codes of lengths and distances behind them.
  std::string text;
  std::uint32_t last = 1;
  std::uint32_t before = 0;
  for (char symbol = 'a'; symbol < 'a' + 24; ++symbol) {
    text.append(last, symbol);
    last += std::exchange(before, last);
  }
  Made made;
  made.add(text, 0, 0);
  for (std::size_t i = 0; i < 8; ++i) {
    made.add("abcdabcdabc", 227 + i, 32768 - i);
  }
  const std::string out = made.write();
  EXPECT_EQ(type_of(out), kDynamic);
  EXPECT_TRUE(inflate_thrice(as_bytes(out), made.text.size()) == made.text);
}

TEST(BlockWriter, NoiseIsStoredInPiecesOf65535) {
  for (const std::size_t size : {1000UL, 65535UL, 65536UL, 131'070UL, 131'071UL}) {
    std::mt19937 random(2);
    std::string noise(size, '\0');
    for (char& byte : noise) {
      byte = static_cast<char>(random());
    }
    Made made;
    made.add(noise, 0, 0);
    const std::string out = made.write();
    EXPECT_EQ(type_of(out), kStored);
    EXPECT_EQ(out.size(), size + (size + 65534) / 65535 * 5);
    EXPECT_TRUE(inflate_thrice(as_bytes(out), size) == noise);
  }
}

TEST(BlockWriter, OneKindOfDistanceIsEnough) {
  Made made;
  made.add("abcdefgh", 200, 8);
  for (int i = 0; i < 200; ++i) {
    made.add("abcdefghijklmnopqrstuvwxyz", 100, 7);
  }
  EXPECT_EQ(type_of(made.write()), kDynamic);
  EXPECT_TRUE(inflate_thrice(as_bytes(made.write()), made.text.size()) == made.text);
}

TEST(CodeDescription, KnowsHowLongItIs) {
  std::mt19937 random(5);
  for (int round = 0; round < 500; ++round) {
    std::array<std::uint8_t, kLiteralSymbols> literals{};
    std::array<std::uint8_t, kDistanceSymbols> distances{};
    // Runs of all lengths, of zeros and of others.
    for (std::size_t i = 0; i < literals.size();) {
      const auto value = static_cast<std::uint8_t>(random() % 2 == 0 ? 0 : random() % 15);
      for (std::size_t run = 1 + random() % 150; run > 0 && i < literals.size(); --run) {
        literals[i++] = value;
      }
    }
    literals[random() % literals.size()] = 9;
    distances[random() % distances.size()] = 1;
    const CodeDescription description(literals, distances);
    std::array<std::uint8_t, 2000> memory{};
    BitWriter out(memory.data());
    description.write(out);
    out.align();
    ASSERT_EQ(out.size(), (description.bits() + 7) / 8) << round;
  }
}

TEST(SymbolCounts, AnEstimateIsCloseToWhatComesOut) {
  std::mt19937 random(6);
  for (int round = 0; round < 20; ++round) {
    Made made;
    std::string literals(20'000, '\0');
    std::geometric_distribution<int> letters(0.05 + 0.03 * round);
    for (char& byte : literals) {
      byte = static_cast<char>(letters(random));
    }
    made.add(literals, 0, 0);
    const auto estimate =
        static_cast<double>(estimate_bits(SymbolCounts(made.sequences.view()))) / 8;
    const auto real = static_cast<double>(made.write().size());
    EXPECT_GT(estimate, real * 0.93) << round;
    EXPECT_LT(estimate, real * 1.02) << round;
  }
}

TEST(SymbolCounts, TwoBlocksAsOneAreCountedAsOne) {
  Made first;
  first.add("abc", 10, 2);
  Made second;
  second.add("cde", 20, 3);
  Made both;
  both.add("abc", 10, 2);
  both.add("cde", 20, 3);
  const SymbolCounts sum =
      SymbolCounts(first.sequences.view()).with(SymbolCounts(second.sequences.view()));
  const SymbolCounts whole(both.sequences.view());
  EXPECT_EQ(sum.literals, whole.literals);
  EXPECT_EQ(sum.distances, whole.distances);
  EXPECT_EQ(sum.bytes, whole.bytes);
  EXPECT_EQ(sum.extra_bits, whole.extra_bits);
}

}  // namespace
}  // namespace mybuild::snapshotter::deflate
