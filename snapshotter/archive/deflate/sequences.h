// SPDX-License-Identifier: Apache-2.0
// Parsed input: bytes that stand for themselves and copies of earlier bytes, in turns. Internal to
// deflate/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace mybuild::snapshotter::deflate {

struct Sequence {
  std::uint32_t literals = 0;  // how many come first
  std::uint16_t length = 0;    // of the copy after them; 0: none
  std::uint16_t distance = 0;  // how far back it is copied from
};

/// Sequences in a row, and the literals of all of them, behind which kSlack bytes may be read.
struct SequenceView {
  std::span<const std::uint8_t> literals;
  std::span<const Sequence> sequences;
};

/// A growing list of sequences, their literals apart from them, so that who counts those needs to
/// know no sequences. Thread-compatible.
class Sequences {
 public:
  static constexpr std::size_t kSlack = 16;
  static constexpr std::size_t kShortest = 4;  // bytes that a copy stands for

  /// Room for at most so many bytes of input, parsed in at most so many pieces.
  Sequences(std::size_t bytes, std::size_t pieces)
      : literals_(bytes + kSlack), sequences_(bytes / kShortest + pieces) {}

  /// Appends literals and the copy after them. Reads kSlack bytes even of fewer literals.
  void append(const std::uint8_t* literals, std::size_t count, std::size_t length,
              std::size_t distance) {
    std::uint8_t* end = literals_.data() + literal_count_;
    std::memcpy(end, literals, kSlack);  // of a known size: no call
    if (count > kSlack) {
      std::memcpy(end + kSlack, literals + kSlack, count - kSlack);
    }
    push(count, length, distance);
  }
  /// Appends literals that no copy follows, and reads nothing beyond them.
  void append(const std::uint8_t* literals, std::size_t count) {
    std::memcpy(literals_.data() + literal_count_, literals, count);
    push(count, 0, 0);
  }

  /// What was appended after `front`, a view of the first ones.
  SequenceView after(const SequenceView& front) const {
    const SequenceView all = view();
    return {.literals = all.literals.subspan(front.literals.size()),
            .sequences = all.sequences.subspan(front.sequences.size())};
  }
  SequenceView view() const {
    return {.literals = std::span(literals_).first(literal_count_),
            .sequences = std::span(sequences_).first(size_)};
  }
  /// Forgets the first ones; views are of no more use.
  void drop(const SequenceView& front) {
    const SequenceView rest = after(front);
    size_ = rest.sequences.size();
    literal_count_ = rest.literals.size();
    std::memmove(sequences_.data(), rest.sequences.data(), rest.sequences.size_bytes());
    std::memmove(literals_.data(), rest.literals.data(), rest.literals.size());
  }

 private:
  void push(std::size_t count, std::size_t length, std::size_t distance) {
    sequences_[size_++] = {.literals = static_cast<std::uint32_t>(count),
                           .length = static_cast<std::uint16_t>(length),
                           .distance = static_cast<std::uint16_t>(distance)};
    literal_count_ += count;
  }

  std::vector<std::uint8_t> literals_;
  std::vector<Sequence> sequences_;
  std::size_t literal_count_ = 0;
  std::size_t size_ = 0;
};

}  // namespace mybuild::snapshotter::deflate
