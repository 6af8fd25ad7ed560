// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/archive/deflate/match_finder.h"

#include <algorithm>

namespace mybuild::snapshotter::deflate {

static_assert(kWindow == 0x8000, "worth_mask() takes the highest bit of a distance for too far");

namespace {

constexpr std::uint16_t kMinLength = 4;  // what is hashed
/// From here on a copy of kMinLength costs about as much as its literals.
constexpr std::uint16_t kFar = 8192;

std::uint32_t hash(const std::uint8_t* at, unsigned bits) {
  constexpr std::uint32_t kGolden = 0x9e3779b1;  // a prime near 2^32 / phi: Fibonacci hashing
  std::uint32_t word = 0;
  std::memcpy(&word, at, kMinLength);
  return (word * kGolden) >> (32U - bits);
}

}  // namespace

bool MatchFinder::scan(const std::uint8_t* input, std::size_t position, std::size_t count) {
  const std::uint8_t* at = input + position;
  for (std::size_t i = 0; i < count; ++i) {
    std::uint16_t& place = places_[hash(at + i, kHashBits)];
    distances_[i] = place;
    place = static_cast<std::uint16_t>(position + i);
  }
  // Not part of the loop above, so that it takes eight at a time.
  auto last = static_cast<std::uint16_t>(position - 1);
  for (std::uint16_t& distance : distances_) {
    distance = static_cast<std::uint16_t>(last - distance);
    ++last;
  }
  for (std::size_t i = 0; i < count; ++i) {
    lengths_[i] = static_cast<std::uint16_t>(common_prefix(at + i, at + i - distance(i)));
  }
  std::fill(lengths_.begin() + static_cast<std::ptrdiff_t>(count), lengths_.end(), 0);
  return judge();
}

bool MatchFinder::scan_some(const std::uint8_t* input, std::size_t position, std::size_t count,
                            std::size_t stride) {
  lengths_.fill(0);
  for (std::size_t i = 0; i < count; i += stride) {
    const std::uint8_t* at = input + position + i;
    std::uint16_t& place = places_[hash(at, kHashBits)];
    distances_[i] = static_cast<std::uint16_t>(position + i - place - 1);
    place = static_cast<std::uint16_t>(position + i);
    lengths_[i] = static_cast<std::uint16_t>(common_prefix(at, at - distance(i)));
  }
  return judge();
}

bool MatchFinder::judge() {
  std::uint64_t any = 0;
  for (std::size_t word = 0; word < worth_.size(); ++word) {
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < 64; i += 8) {
      const std::size_t index = word * 64 + i;
      bits |= std::uint64_t{worth_mask(&lengths_[index], &distances_[index], kMinLength, kFar)}
              << i;
    }
    worth_[word] = bits;
    any |= bits;
  }
  return any != 0;
}

}  // namespace mybuild::snapshotter::deflate
