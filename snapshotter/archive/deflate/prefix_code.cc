// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/archive/deflate/prefix_code.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace mybuild::snapshotter::deflate {

namespace {

constexpr std::size_t kMaxSymbols = 288;
constexpr unsigned kMaxLength = 15;

constexpr unsigned kSymbolBits = 9;
/// Bytes with their bits in the other order.
constexpr std::array<std::uint8_t, 256> kReversed = [] {
  std::array<std::uint8_t, 256> table{};
  for (std::size_t i = 0; i < table.size(); ++i) {
    table[i] = static_cast<std::uint8_t>((table[i >> 1U] >> 1U) | ((i & 1U) << 7U));
  }
  return table;
}();

using Keys = std::array<std::uint32_t, kMaxSymbols>;          // count, then symbol
using LengthCounts = std::array<std::uint32_t, kMaxSymbols>;  // symbols, by length

/// The depths of the leaves of a Huffman tree, as how many there are of each. `sorted` rises. Two
/// queues make the tree: leaves in their order and nodes in the order they are made, which is
/// that of their weights.
LengthCounts tree_depths(std::span<const std::uint32_t> sorted) {
  const std::size_t leaves = sorted.size();
  std::array<std::uint32_t, kMaxSymbols> weight;      // of nodes
  std::array<std::uint16_t, 2 * kMaxSymbols> parent;  // of leaves, then of nodes
  std::size_t leaf = 0;
  std::size_t node = 0;
  for (std::size_t made = 0; made + 1 < leaves; ++made) {
    std::uint32_t sum = 0;
    for (int child = 0; child < 2; ++child) {
      const bool take_leaf =
          leaf < leaves && (node == made || (sorted[leaf] >> kSymbolBits) <= weight[node]);
      sum += take_leaf ? sorted[leaf] >> kSymbolBits : weight[node];
      parent[take_leaf ? leaf++ : leaves + node++] = static_cast<std::uint16_t>(made);
    }
    weight[made] = sum;
  }
  LengthCounts depths{};
  std::array<std::uint16_t, kMaxSymbols> depth;  // of nodes; the root is the last one
  depth[leaves - 2] = 0;
  for (std::size_t i = leaves - 2; i-- > 0;) {
    depth[i] = static_cast<std::uint16_t>(depth[parent[leaves + i]] + 1);
  }
  for (std::size_t i = 0; i < leaves; ++i) {
    ++depths[depth[parent[i]] + 1U];
  }
  return depths;
}

/// Cuts what is longer. Each cut symbol takes more of the code space than it had; a leaf of the
/// deepest level above the limit gives half of its own for it, until all have room.
void limit_depths(LengthCounts& depths, unsigned max_length) {
  std::uint64_t used = 0;  // of the code space, in units of the smallest leaf
  for (std::size_t depth = kMaxSymbols - 1; depth > max_length; --depth) {
    depths[max_length] += depths[depth];
    depths[depth] = 0;
  }
  for (unsigned depth = 1; depth <= max_length; ++depth) {
    used += std::uint64_t{depths[depth]} << (max_length - depth);
  }
  for (; used > std::uint64_t{1} << max_length; --used) {
    unsigned depth = max_length - 1;
    while (depths[depth] == 0) {
      --depth;
    }
    --depths[depth];
    --depths[max_length];
    depths[depth + 1] += 2;
  }
}

}  // namespace

void make_lengths(std::span<const std::uint32_t> counts, unsigned max_length,
                  std::span<std::uint8_t> lengths) {
  Keys keys;
  std::size_t used = 0;
  for (std::size_t symbol = 0; symbol < counts.size(); ++symbol) {
    lengths[symbol] = 0;
    if (counts[symbol] != 0) {
      keys[used++] = (counts[symbol] << kSymbolBits) | static_cast<std::uint32_t>(symbol);
    }
  }
  if (used < 2) {
    if (used == 1) {
      lengths[keys[0] & ((1U << kSymbolBits) - 1)] = 1;
    }
    return;
  }
  const std::span sorted(keys.data(), used);
  std::sort(sorted.begin(), sorted.end());
  LengthCounts depths = tree_depths(sorted);
  limit_depths(depths, max_length);
  std::size_t next = 0;
  for (unsigned length = max_length; length > 0; --length) {
    for (std::uint32_t i = 0; i < depths[length]; ++i) {
      lengths[sorted[next++] & ((1U << kSymbolBits) - 1)] = static_cast<std::uint8_t>(length);
    }
  }
}

void make_codes(std::span<const std::uint8_t> lengths, std::span<std::uint16_t> codes) {
  std::array<std::uint32_t, kMaxLength + 2> next{};
  for (const std::uint8_t length : lengths) {
    ++next[length + 1U];
  }
  next[1] = 0;  // symbols without a code take none
  for (unsigned length = 1; length <= kMaxLength; ++length) {
    next[length + 1] = (next[length] + next[length + 1]) << 1U;
  }
  for (std::size_t symbol = 0; symbol < lengths.size(); ++symbol) {
    const std::uint32_t code = next[lengths[symbol]]++;
    const std::uint32_t reversed =
        std::uint32_t{kReversed[code & 0xffU]} << 8U | kReversed[(code >> 8U) & 0xffU];
    codes[symbol] = static_cast<std::uint16_t>(reversed >> (16U - lengths[symbol]));
  }
}

}  // namespace mybuild::snapshotter::deflate
