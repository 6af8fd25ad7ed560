// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/archive/deflate/parser.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace mybuild::snapshotter::deflate {
namespace {

/// Bytes that no ASCII text has.
std::string noise(std::size_t size, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::string bytes(size, '\0');
  std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<char>(random() | 0x80U); });
  return bytes;
}

/// The sequences of `input`, parsed in pieces of `piece` bytes.
std::vector<Sequence> parse(std::string_view input, std::size_t piece = std::size_t{1} << 20U) {
  Parser parser;
  Sequences sequences(input.size(), input.size() / piece + 1);
  parser.start(as_bytes(input));
  while (!parser.at_end()) {
    parser.parse(piece, sequences);
  }
  const auto view = sequences.view();
  return {view.sequences.begin(), view.sequences.end()};
}

/// What the sequences stand for, given the input that their literals are from.
std::string replay(const std::vector<Sequence>& sequences, std::string_view input) {
  std::string text;
  for (const Sequence& sequence : sequences) {
    text.append(input.substr(text.size(), sequence.literals));
    EXPECT_LE(sequence.distance, text.size());
    for (int i = 0; i < sequence.length; ++i) {
      text.push_back(text[text.size() - sequence.distance]);
    }
  }
  return text;
}

std::vector<Sequence> copies(std::vector<Sequence> sequences) {
  std::erase_if(sequences, [](const Sequence& sequence) { return sequence.length == 0; });
  return sequences;
}

TEST(Parser, FindsACopyOfEveryLength) {
  for (std::size_t length = 4; length <= kMaxMatch; ++length) {
    const std::string original = noise(600);
    const std::string text =
        original + "first" + original.substr(100, length) + "last" + noise(50, 2);
    const std::vector<Sequence> found = copies(parse(text));
    ASSERT_EQ(found.size(), 1U) << length;
    EXPECT_EQ(found[0].length, length);
    EXPECT_EQ(found[0].distance, 600 + 5 - 100);
  }
}

TEST(Parser, ReachesAsFarBackAsTheWindow) {
  for (const std::size_t distance :
       {1UL, 2UL, 15UL, 16UL, 17UL, 8192UL, 32767UL, 32768UL, 32769UL}) {
    std::string text = noise(70'000);
    // Where nothing is found for long, few positions are looked at.
    for (std::size_t i = 0; i < text.size(); i += 200) {
      text.replace(i, 8, "anything");
    }
    for (std::size_t i = text.size() - 60; i < text.size(); ++i) {
      text[i] = text[i - distance];
    }
    text += noise(40, 2);
    const std::vector<Sequence> found = copies(parse(text));
    const auto is_it = [&](const Sequence& sequence) {
      return sequence.distance == distance && sequence.length > 30;
    };
    EXPECT_EQ(std::any_of(found.begin(), found.end(), is_it), distance <= kWindow) << distance;
    EXPECT_TRUE(replay(parse(text), text) == text);
  }
}

TEST(Parser, FarCopiesOfFourBytesAreNoCopies) {
  const std::string four = "\x01\x02\x03\x04";
  const auto found = [&](std::size_t distance) {
    const std::string gap(distance - four.size(), 'z');
    return copies(parse(four + gap + four + noise(100))).back().length == four.size();
  };
  EXPECT_TRUE(found(8192));
  EXPECT_FALSE(found(8193));
}

TEST(Parser, TakesTheLongerCopyOfThePositionAfter) {
  const std::string text = noise(100) + "abcd" + noise(100, 2) + "bcdefghij" + noise(100, 3) +
                           "abcdefghij" + noise(100, 4);
  const std::vector<Sequence> found = copies(parse(text));
  ASSERT_EQ(found.back().length, 9) << "bcdefghij, and not abcd";
}

TEST(Parser, ReadsTheSameInAnyPieces) {
  std::string text;
  std::mt19937 random(7);
  while (text.size() < 200'000) {
    text += "word" + std::to_string(random() % 500) +
            (random() % 50 == 0 ? noise(random() % 4000) : "\n");
  }
  for (const std::size_t piece : {1UL, 7UL, 16UL, 255UL, 4096UL, 65536UL}) {
    ASSERT_TRUE(replay(parse(text, piece), text) == text) << piece;
  }
}

TEST(Parser, TextAfterMuchNoiseIsFoundAgain) {
  std::string text = noise(300'000);
  const std::size_t begin = text.size();
  while (text.size() < begin + 20'000) {
    text += "some words of which there are not many, ";
  }
  std::size_t literals = 0;
  for (const Sequence& sequence : parse(text)) {
    literals += sequence.literals;
  }
  EXPECT_LT(literals, begin + 2000);
}

TEST(Wide, SaysWhatPlainCodeSays) {
  std::mt19937 random(3);
  for (int round = 0; round < 20'000; ++round) {
    std::array<std::uint8_t, kCompared> a{};
    std::generate(a.begin(), a.end(), [&] { return static_cast<std::uint8_t>(random() % 2); });
    std::array<std::uint8_t, kCompared> b = a;
    if (const std::size_t change = random() % 17; change < b.size()) {
      b[change] ^= 0x80U;
    }
    ASSERT_EQ(common_prefix(a.data(), b.data()), plain::common_prefix(a.data(), b.data()));

    std::array<std::uint16_t, 8> lengths{};
    std::generate(lengths.begin(), lengths.end(),
                  [&] { return static_cast<std::uint16_t>(random() % 17); });
    std::array<std::uint16_t, 8> distances{};
    std::generate(distances.begin(), distances.end(), [&] {
      constexpr std::array<std::uint16_t, 6> kEdges = {0, 8191, 8192, 0x7fff, 0x8000, 0xffff};
      return random() % 2 == 0 ? kEdges[random() % kEdges.size()]
                               : static_cast<std::uint16_t>(random());
    });
    std::array<std::uint16_t, 8> same = lengths;
    ASSERT_EQ(worth_mask(lengths.data(), distances.data(), 4, 8192),
              plain::worth_mask(same.data(), distances.data(), 4, 8192));
    ASSERT_EQ(lengths, same);
  }
}

}  // namespace
}  // namespace mybuild::snapshotter::deflate
