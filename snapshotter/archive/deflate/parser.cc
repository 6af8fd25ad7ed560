// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/archive/deflate/parser.h"

#include <algorithm>

namespace mybuild::snapshotter::deflate {

namespace {

/// Input is literals from here to its end: the match finder and Sequences read so far ahead.
constexpr std::size_t kTail = std::max(kCompared, Sequences::kSlack);

/// Noise is passed over: after so many segments without a copy few positions are looked at, then
/// fewer. The first copy ends it.
constexpr std::size_t kQuiet = 4;
constexpr std::size_t kVeryQuiet = 8;
constexpr std::size_t kStride = 4;
constexpr std::size_t kLongStride = 16;

/// How many bytes at `at` repeat those `distance` before, kMaxMatch at most. The first kCompared
/// do.
std::size_t extend(const std::uint8_t* at, std::size_t distance, std::size_t available) {
  const std::size_t limit = std::min(available, kMaxMatch);
  std::size_t length = kCompared;
  for (; length + sizeof(std::uint64_t) <= limit; length += sizeof(std::uint64_t)) {
    const std::uint64_t difference = load64(at + length) ^ load64(at + length - distance);
    if (difference != 0) {
      return length + static_cast<std::size_t>(std::countr_zero(difference)) / 8;
    }
  }
  while (length < limit && at[length] == *(at + length - distance)) {
    ++length;
  }
  return length;
}

}  // namespace

void Parser::start(ByteSpan input) {
  finder_.reset();
  input_ = reinterpret_cast<const std::uint8_t*>(input.data());
  size_ = input.size();
  parsed_ = 0;
  quiet_ = 0;
}

void Parser::parse(std::size_t count, Sequences& out) {
  const std::size_t goal = std::min(parsed_ + count, size_);
  const std::size_t end = std::min(goal, std::max(size_, kTail) - kTail);
  std::size_t position = std::max<std::size_t>(parsed_, 1);  // before the first byte is nothing
  while (position < end) {
    const std::size_t segment = std::min(end - position, MatchFinder::kSegment);
    if (scan(position, segment)) {
      choose(position, segment, out);
    }
    position = std::max(position + segment, parsed_);
  }
  if (parsed_ < goal) {
    out.append(input_ + parsed_, goal - parsed_);
    parsed_ = goal;
  }
}

inline bool Parser::scan(std::size_t position, std::size_t count) {
  const bool found =
      quiet_ < kQuiet
          ? finder_.scan(input_, position, count)
          : finder_.scan_some(input_, position, count, quiet_ < kVeryQuiet ? kStride : kLongStride);
  quiet_ = found ? 0 : quiet_ + 1;
  return found;
}

inline void Parser::choose(std::size_t position, std::size_t count, Sequences& out) {
  for (std::size_t index = finder_.next(0); index < count; index = finder_.next(index)) {
    // Conditional moves, not branches: they could not be predicted.
    static_assert(MatchFinder::kLookahead == 2);
    std::size_t best = index;
    std::uint32_t length = finder_.length(index);
    best = finder_.length(index + 1) > length ? index + 1 : best;
    length = std::max(length, finder_.length(index + 1));
    best = finder_.length(index + 2) > length + 1 ? index + 2 : best;
    take(position, best, out);
    index = parsed_ - position;
    if (index >= count) {
      return;
    }
  }
}

inline void Parser::take(std::size_t position, std::size_t index, Sequences& out) {
  const std::uint8_t* at = input_ + position + index;
  const std::size_t distance = finder_.distance(index);
  std::size_t length = finder_.length(index);
  if (length == kCompared) {
    length = extend(at, distance, size_ - position - index);
  }
  const std::uint8_t* begin = input_ + parsed_;
  parsed_ = position + index + length;
  // The bytes before may be equal, too: their own place was taken by later ones.
  while (at > begin && at - input_ > static_cast<std::ptrdiff_t>(distance) &&
         at[-1] == *(at - distance - 1) && length < kMaxMatch) {
    --at;
    ++length;
  }
  out.append(begin, static_cast<std::size_t>(at - begin), length, distance);
}

}  // namespace mybuild::snapshotter::deflate
