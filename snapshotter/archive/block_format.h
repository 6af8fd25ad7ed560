// SPDX-License-Identifier: Apache-2.0
// What a compression format makes of blocks that stand alone, and what comes before the first and
// after the last one. Internal to archive/.
#pragma once

#include "snapshotter/base/bytes.h"

#include <memory>
#include <vector>

namespace mybuild::snapshotter {

/// One part of a stream, before and after. Both buffers are kept for the next one.
struct Block {
  std::vector<std::byte> input;  // its capacity is what a block holds
  bool is_last = false;
  std::vector<std::byte> output;
  std::size_t output_size = 0;  // of `output`, what is used
};

/// Thread-safe: several blocks are compressed at once.
class BlockFormat {
 public:
  virtual ~BlockFormat() = default;
  virtual std::size_t block_size() const = 0;
  virtual std::vector<std::byte> header() const { return {}; }
  virtual Status compress(Block& block) = 0;
  virtual bool wants_crc() const { return false; }
  /// `crc` (CRC-32) and `size` are those of all input.
  virtual std::vector<std::byte> trailer(std::uint32_t /*crc*/, std::uint64_t /*size*/) const {
    return {};
  }
};

/// One member (RFC 1952), of our own encoder or of libdeflate's from 0 to 12.
std::unique_ptr<BlockFormat> make_gzip_format();
std::unique_ptr<BlockFormat> make_gzip_format(int libdeflate_level);
/// One frame per block, with its size and without a checksum; frames in a row are one stream.
std::unique_ptr<BlockFormat> make_zstd_format(int level);

}  // namespace mybuild::snapshotter
