// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/archive/deflate/prefix_code.h"

#include "snapshotter/archive/deflate/symbols.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <queue>
#include <random>

namespace mybuild::snapshotter::deflate {
namespace {

using Counts = std::vector<std::uint32_t>;
using Lengths = std::vector<std::uint8_t>;

Lengths lengths_of(const Counts& counts, unsigned max_length) {
  Lengths lengths(counts.size());
  make_lengths(counts, max_length, lengths);
  return lengths;
}

std::uint64_t cost(const Counts& counts, const Lengths& lengths) {
  return std::inner_product(counts.begin(), counts.end(), lengths.begin(), std::uint64_t{0});
}

/// The share of the code space that is used, in units of the longest code; 2^15 is all of it.
std::uint32_t used_space(const Lengths& lengths) {
  std::uint32_t used = 0;
  for (const std::uint8_t length : lengths) {
    used += length == 0 ? 0 : 1U << (15U - length);
  }
  return used;
}

/// What the best code without a limit costs: the sum of all inner nodes of Huffman's tree.
std::uint64_t best_cost(const Counts& counts) {
  std::priority_queue<std::uint64_t, std::vector<std::uint64_t>, std::greater<>> nodes;
  std::for_each(counts.begin(), counts.end(), [&](std::uint32_t count) {
    if (count != 0) {
      nodes.push(count);
    }
  });
  std::uint64_t sum = 0;
  while (nodes.size() > 1) {
    std::uint64_t node = nodes.top();
    nodes.pop();
    node += nodes.top();
    nodes.pop();
    sum += node;
    nodes.push(node);
  }
  return sum;
}

TEST(PrefixCode, CodesAreThoseOfTheExampleInTheRfc) {
  // RFC 1951, 3.2.2: 010, 011, 100, 101, 110, 00, 1110, 1111; here with the first bit lowest.
  const Lengths lengths = {3, 3, 3, 3, 3, 2, 4, 4};
  std::vector<std::uint16_t> codes(lengths.size());
  make_codes(lengths, codes);
  EXPECT_EQ(codes,
            (std::vector<std::uint16_t>{0b010, 0b110, 0b001, 0b101, 0b011, 0b00, 0b0111, 0b1111}));
}

TEST(PrefixCode, FewSymbolsAreSpecial) {
  EXPECT_EQ(lengths_of({0, 0, 0}, 15), (Lengths{0, 0, 0}));
  EXPECT_EQ(lengths_of({0, 7, 0}, 15), (Lengths{0, 1, 0})) << "one alone still needs a bit";
  EXPECT_EQ(lengths_of({1, 0, 1000}, 15), (Lengths{1, 0, 1}));
  EXPECT_EQ(lengths_of({1, 1, 1}, 15), (Lengths{2, 2, 1})) << "ties: later symbols are shorter";
}

TEST(PrefixCode, IsAsShortAsHuffmansWhereNothingIsTooLong) {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    Counts counts(2 + random() % 285);
    for (std::uint32_t& count : counts) {
      count = random() % 3 == 0 ? 0 : static_cast<std::uint32_t>(1 + random() % 200);
    }
    counts.back() = counts.front() = 1;
    const Lengths lengths = lengths_of(counts, 15);
    ASSERT_EQ(cost(counts, lengths), best_cost(counts)) << round;
    ASSERT_EQ(used_space(lengths), 1U << 15U) << round;
  }
}

TEST(PrefixCode, KeepsItsLimitWhereFibonacciWantsMore) {
  // Counts that grow so make a tree with one leaf at each depth: 30 symbols, 29 bits.
  Counts counts = {1, 1};
  while (counts.size() < 30) {
    counts.push_back(counts.back() + counts[counts.size() - 2]);
  }
  for (const unsigned limit : {5U, 7U, 14U, 15U}) {
    const Lengths lengths = lengths_of(counts, limit);
    EXPECT_EQ(*std::max_element(lengths.begin(), lengths.end()), limit);
    EXPECT_EQ(used_space(lengths), 1U << 15U) << "nothing of the code space is left over";
    EXPECT_TRUE(std::is_sorted(lengths.rbegin(), lengths.rend())) << "rare ones are longer";
  }
  const double more = static_cast<double>(cost(counts, lengths_of(counts, 14)));
  EXPECT_LT(more / static_cast<double>(best_cost(counts)), 1.005);
}

TEST(PrefixCode, HoldsAllSymbolsThatThereAre) {
  Counts counts(kLiteralSymbols, 1);
  counts[65] = 1U << 18U;
  const Lengths lengths = lengths_of(counts, 14);
  EXPECT_EQ(used_space(lengths), 1U << 15U);
  EXPECT_EQ(lengths[65], 1);
}

TEST(Symbols, AreThoseOfTheRfc) {
  struct Row {
    std::size_t value, symbol, extra;
  };
  for (const auto& [length, symbol, extra] : {Row{3, 257, 0},
                                              {10, 264, 0},
                                              {11, 265, 1},
                                              {12, 265, 1},
                                              {13, 266, 1},
                                              {18, 268, 1},
                                              {19, 269, 2},
                                              {66, 276, 3},
                                              {67, 277, 4},
                                              {131, 281, 5},
                                              {257, 284, 5},
                                              {258, 285, 0}}) {
    EXPECT_EQ(kFirstLength + kLengthSymbol[length], symbol) << length;
    EXPECT_EQ(kLengthExtra[symbol - kFirstLength].count, extra) << length;
  }
  for (const auto& [distance, symbol, extra] : {Row{1, 0, 0},
                                                {4, 3, 0},
                                                {5, 4, 1},
                                                {7, 5, 1},
                                                {9, 6, 2},
                                                {193, 15, 6},
                                                {256, 15, 6},
                                                {257, 16, 7},
                                                {16385, 28, 13},
                                                {24577, 29, 13},
                                                {32768, 29, 13}}) {
    EXPECT_EQ(distance_symbol(static_cast<std::uint32_t>(distance)), symbol) << distance;
    EXPECT_EQ(kDistanceExtra[symbol].count, extra) << distance;
  }
  for (std::uint32_t distance = 1; distance <= kWindow; ++distance) {
    const ExtraBits& extra = kDistanceExtra[distance_symbol(distance)];
    ASSERT_LT(distance - extra.base, 1U << extra.count) << distance;
  }
}

}  // namespace
}  // namespace mybuild::snapshotter::deflate
