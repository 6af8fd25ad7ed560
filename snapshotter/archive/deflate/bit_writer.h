// SPDX-License-Identifier: Apache-2.0
// Bits, least significant first, into memory that has room for them. Internal to deflate/.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace mybuild::snapshotter::deflate {

/// put() gathers in a register; flush() comes before more than kRoom bits are. Thread-compatible.
class BitWriter {
 public:
  static constexpr unsigned kRoom = 56;
  static constexpr std::size_t kSlack = 8;  // bytes beyond the last one that are written

  explicit BitWriter(std::uint8_t* out) : begin_(out), next_(out) {}

  /// No bits of `bits` but the lowest `count` are set.
  void put(std::uint64_t bits, unsigned count) {
    gathered_ |= bits << count_;
    count_ += count;
  }
  void flush() {
    static_assert(std::endian::native == std::endian::little);
    std::memcpy(next_, &gathered_, sizeof gathered_);
    next_ += count_ / 8;
    gathered_ >>= count_ & ~7U;
    count_ &= 7U;
  }
  /// Fills up the last byte with zeros.
  void align() {
    count_ = (count_ + 7) & ~7U;
    flush();
  }
  /// At a byte.
  void copy(const std::uint8_t* bytes, std::size_t size) {
    std::memcpy(next_, bytes, size);
    next_ += size;
  }
  /// Asked after flush().
  bool is_aligned() const { return count_ == 0; }
  /// Bytes, those begun not counted.
  std::size_t size() const { return static_cast<std::size_t>(next_ - begin_); }

 private:
  std::uint8_t* begin_;
  std::uint8_t* next_;
  std::uint64_t gathered_ = 0;
  unsigned count_ = 0;
};

}  // namespace mybuild::snapshotter::deflate
