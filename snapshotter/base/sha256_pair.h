// SPDX-License-Identifier: Apache-2.0
// Sha256Pair: SHA-256 (FIPS 180-4) of a stream and, one after the other, of parts of it, for little
// more than the price of the stream alone. A part begins where a block of the stream does, so both
// see the same blocks: what a block's words are mixed to is computed once, and the two chains of
// rounds, each of which waits for itself most of the time, run side by side. Thread-compatible.
#pragma once

#include "snapshotter/base/digest.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace mybuild {

class Sha256Pair {
 public:
  static constexpr std::size_t kBlock = 64;

  /// Whether this CPU has instructions for it; nothing else may be called where it has not.
  static bool is_supported();

  void update(ByteSpan bytes);
  /// The stream must have a multiple of kBlock bytes so far.
  void begin_part();
  Digest end_part();
  /// Once, outside of a part.
  Digest finish();

  using Words = std::array<std::uint32_t, 8>;

 private:
  static constexpr Words kInitial = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                     0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

  void compress(const std::byte* blocks, std::size_t count);
  Digest padded(Words words, std::uint64_t size) const;

  Words stream_ = kInitial;
  Words part_ = kInitial;
  bool in_part_ = false;
  std::uint64_t size_ = 0;   // of the stream
  std::uint64_t begin_ = 0;  // of the part
  std::array<std::byte, kBlock> pending_{};
};

}  // namespace mybuild
