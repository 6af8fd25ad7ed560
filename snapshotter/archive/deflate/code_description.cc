// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/archive/deflate/code_description.h"

#include "snapshotter/archive/deflate/prefix_code.h"

#include <algorithm>

namespace mybuild::snapshotter::deflate {

namespace {

constexpr unsigned kMaxLength = 7;  // of the third code: three bits hold it
constexpr std::size_t kMinLiteralCount = 257;
constexpr std::size_t kMinDistanceCount = 1;
constexpr std::size_t kMinLengthCount = 4;

/// A symbol that stands for several lengths, from `min` to `max` of them.
struct Run {
  std::uint8_t symbol = 0;
  std::size_t min = 0;
  std::size_t max = 0;
};
constexpr Run kRepeat = {.symbol = 16, .min = 3, .max = 6};  // of the last length
constexpr Run kZeros = {.symbol = 17, .min = 3, .max = 10};
constexpr Run kManyZeros = {.symbol = 18, .min = 11, .max = 138};

constexpr std::array<std::uint8_t, 19> kRunBits = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                                   0, 0, 0, 0, 0, 0, 2, 3, 7};
/// In which the lengths of the third code are written: rare ones last.
constexpr std::array<std::uint8_t, 19> kOrder = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                 11, 4,  12, 3, 13, 2, 14, 1, 15};

std::size_t count_without_zeros(std::span<const std::uint8_t> lengths, std::size_t least) {
  std::size_t count = lengths.size();
  while (count > least && lengths[count - 1] == 0) {
    --count;
  }
  return count;
}

}  // namespace

CodeDescription::CodeDescription(std::span<const std::uint8_t, kLiteralSymbols> literal_lengths,
                                 std::span<const std::uint8_t, kDistanceSymbols> distance_lengths)
    : literal_count_(count_without_zeros(literal_lengths, kMinLiteralCount)),
      distance_count_(count_without_zeros(distance_lengths, kMinDistanceCount)) {
  std::array<std::uint8_t, kLiteralSymbols + kDistanceSymbols> lengths;
  auto* const middle = std::copy_n(literal_lengths.begin(), literal_count_, lengths.data());
  std::copy_n(distance_lengths.begin(), distance_count_, middle);
  add_runs(std::span(lengths).first(literal_count_ + distance_count_));
  std::array<std::uint32_t, kSymbols> counts{};
  for (const Item& item : items()) {
    ++counts[item.symbol];
  }
  make_lengths(counts, kMaxLength, lengths_);
  while (length_count_ > kMinLengthCount && lengths_[kOrder[length_count_ - 1]] == 0) {
    --length_count_;
  }
}

std::uint64_t CodeDescription::bits() const {
  std::uint64_t bits = 5 + 5 + 4 + 3 * length_count_;
  for (const Item& item : items()) {
    bits += lengths_[item.symbol] + kRunBits[item.symbol];
  }
  return bits;
}

void CodeDescription::write(BitWriter& out) const {
  std::array<std::uint16_t, kSymbols> codes;
  make_codes(lengths_, codes);
  out.put(literal_count_ - kMinLiteralCount, 5);
  out.put(distance_count_ - kMinDistanceCount, 5);
  out.put(length_count_ - kMinLengthCount, 4);
  out.flush();
  for (std::size_t i = 0; i < length_count_; ++i) {
    out.put(lengths_[kOrder[i]], 3);
    out.flush();
  }
  for (const Item& item : items()) {
    out.put(codes[item.symbol], lengths_[item.symbol]);
    out.put(item.extra, kRunBits[item.symbol]);
    out.flush();
  }
}

void CodeDescription::add(std::uint8_t symbol, std::size_t extra) {
  items_[item_count_++] = {.symbol = symbol, .extra = static_cast<std::uint8_t>(extra)};
}

void CodeDescription::add_runs(std::span<const std::uint8_t> lengths) {
  while (!lengths.empty()) {
    const auto end = std::find_if(lengths.begin(), lengths.end(),
                                  [&](std::uint8_t length) { return length != lengths.front(); });
    const auto count = static_cast<std::size_t>(end - lengths.begin());
    add_run(lengths.front(), count);
    lengths = lengths.subspan(count);
  }
}

void CodeDescription::add_run(std::uint8_t length, std::size_t count) {
  const auto shorten = [&](const Run& run) {
    while (count >= run.min) {
      const std::size_t part = std::min(count, run.max);
      add(run.symbol, part - run.min);
      count -= part;
    }
  };
  if (length == 0) {
    shorten(kManyZeros);
    shorten(kZeros);
  } else {
    add(length, 0);
    --count;
    shorten(kRepeat);
  }
  for (; count > 0; --count) {
    add(length, 0);
  }
}

}  // namespace mybuild::snapshotter::deflate
