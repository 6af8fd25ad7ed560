// SPDX-License-Identifier: Apache-2.0
// How a block says which codes it uses: all code lengths in a row, runs of them shortened, coded by
// a third code whose lengths come first (RFC 1951, 3.2.7). Internal to deflate/.
#pragma once

#include "snapshotter/archive/deflate/bit_writer.h"
#include "snapshotter/archive/deflate/symbols.h"

#include <array>
#include <span>

namespace mybuild::snapshotter::deflate {

class CodeDescription {
 public:
  CodeDescription(std::span<const std::uint8_t, kLiteralSymbols> literal_lengths,
                  std::span<const std::uint8_t, kDistanceSymbols> distance_lengths);

  std::uint64_t bits() const;
  void write(BitWriter& out) const;

 private:
  static constexpr std::size_t kSymbols = 19;

  /// A symbol of the third code and what follows it.
  struct Item {
    std::uint8_t symbol = 0;
    std::uint8_t extra = 0;
  };

  std::span<const Item> items() const { return std::span(items_).first(item_count_); }
  void add(std::uint8_t symbol, std::size_t extra);
  void add_runs(std::span<const std::uint8_t> lengths);
  void add_run(std::uint8_t length, std::size_t count);

  std::size_t literal_count_;  // lengths that are written; those after them are 0
  std::size_t distance_count_;
  std::array<Item, kLiteralSymbols + kDistanceSymbols> items_;
  std::size_t item_count_ = 0;
  std::array<std::uint8_t, kSymbols> lengths_{};  // of the third code
  std::size_t length_count_ = kSymbols;           // that are written, in their own order
};

}  // namespace mybuild::snapshotter::deflate
