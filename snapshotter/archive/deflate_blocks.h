// SPDX-License-Identifier: Apache-2.0
// Joining deflate streams that were compressed apart (RFC 1951). libdeflate ends every stream with
// a block marked as the last one; to put another stream behind it, that mark must go and the bits
// must end at a byte. Internal to archive/.
#pragma once

#include "snapshotter/base/bytes.h"
#include "snapshotter/base/result.h"

namespace mybuild::snapshotter {

/// Where the last block of a deflate stream lies, in bits from the start.
struct LastBlock {
  std::size_t begin = 0;  // its first bit is the "last block" mark
  std::size_t end = 0;    // one past its last bit
};

/// Walks the block structure of one complete deflate stream without producing its output. Fails
/// with Internal when the stream is malformed; it only ever sees our own compressor's output.
Result<LastBlock> find_last_block(ByteSpan deflate);

/// Makes `deflate`, one complete stream, into one that another may follow at the next byte.
Status make_continuable(std::vector<std::byte>& deflate);

}  // namespace mybuild::snapshotter
