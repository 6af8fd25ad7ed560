// SPDX-License-Identifier: Apache-2.0
// ByteStream: a source with a buffer in front, so that the many small reads of a tar cost no
// virtual call. An end where more bytes are needed is DataLoss. Internal to archive/.
// Thread-compatible.
#pragma once

#include "snapshotter/base/bytes.h"

#include <algorithm>
#include <memory>
#include <vector>

namespace mybuild::snapshotter {

inline Error archive_ends_early() {
  return data_loss("the archive ends early");
}

class ByteStream {
 public:
  explicit ByteStream(std::unique_ptr<Source> source)
      : source_(std::move(source)), buffer_(kBufferSize) {}

  Result<std::size_t> read_some(MutableByteSpan out) {
    if (begin_ == end_) {
      if (out.size() >= buffer_.size()) {
        return source_->read(out);
      }
      TRY(refill());
    }
    const std::size_t count = std::min(out.size(), end_ - begin_);
    std::copy_n(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_), count, out.begin());
    begin_ += count;
    return count;
  }
  /// Fills `out`; fewer bytes only at the end.
  Result<std::size_t> read_full(MutableByteSpan out) {
    std::size_t total = 0;
    while (total < out.size()) {
      const std::size_t count = TRY(read_some(out.subspan(total)));
      if (count == 0) {
        break;
      }
      total += count;
    }
    return total;
  }
  Status read_exactly(MutableByteSpan out) {
    const std::size_t count = TRY(read_full(out));
    return count == out.size() ? Status() : archive_ends_early();
  }
  /// How many bytes there were to skip; fewer only at the end.
  Result<std::uint64_t> skip_up_to(std::uint64_t count) {
    std::uint64_t left = count;
    while (left > 0) {
      if (begin_ == end_) {
        TRY(refill());
      }
      if (begin_ == end_) {
        break;
      }
      const auto step = static_cast<std::size_t>(std::min<std::uint64_t>(left, end_ - begin_));
      begin_ += step;
      left -= step;
    }
    return count - left;
  }
  Status skip(std::uint64_t count) {
    const std::uint64_t skipped = TRY(skip_up_to(count));
    return skipped == count ? Status() : archive_ends_early();
  }
  Status drain() {
    do {
      TRY(refill());
    } while (end_ != 0);
    return {};
  }

 private:
  static constexpr std::size_t kBufferSize = 128 * 1024;

  Status refill() {
    begin_ = end_ = 0;
    end_ = TRY(source_->read(buffer_));
    return {};
  }

  std::unique_ptr<Source> source_;
  std::vector<std::byte> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace mybuild::snapshotter
