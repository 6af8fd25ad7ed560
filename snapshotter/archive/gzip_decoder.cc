// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/archive/gzip_decoder.h"

#include "snapshotter/archive/inflate.h"

#include <algorithm>

namespace mybuild::snapshotter {

namespace {

constexpr std::size_t kDecodedBuffer = 256 * 1024;
constexpr std::size_t kMostAtOnce = std::size_t{1} << 30;  // ISA-L counts in 32 bits

}  // namespace

struct GzipDecoder::State {
  inflate_state inflate;

  void reset() {
    isal_inflate_init(&inflate);
    inflate.crc_flag = ISAL_GZIP;
  }
};

GzipDecoder::GzipDecoder(Sink& sink)
    : sink_(sink), state_(std::make_unique<State>()), decoded_(kDecodedBuffer) {
  state_->reset();
}

GzipDecoder::~GzipDecoder() = default;

Status GzipDecoder::write(ByteSpan compressed) {
  inflate_state& inflate = state_->inflate;
  bool more_to_come = false;  // the buffer was full: there may be output without input
  while (!compressed.empty() || more_to_come) {
    const std::size_t given = std::min(compressed.size(), kMostAtOnce);
    inflate.next_in = reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(compressed.data()));
    inflate.avail_in = static_cast<std::uint32_t>(given);
    inflate.next_out = reinterpret_cast<std::uint8_t*>(decoded_.data());
    inflate.avail_out = static_cast<std::uint32_t>(decoded_.size());
    in_member_ = true;
    const int code = inflate_step(inflate);
    if (code != ISAL_DECOMP_OK && code != ISAL_END_INPUT) {
      return data_loss("corrupt gzip data (code {})", code);
    }
    compressed = compressed.subspan(given - inflate.avail_in);
    more_to_come = inflate.avail_out == 0;
    TRY(sink_.write(ByteSpan(decoded_).first(decoded_.size() - inflate.avail_out)));
    if (inflate.block_state == ISAL_BLOCK_FINISH) {
      state_->reset();
      in_member_ = false;
      more_to_come = false;
    }
  }
  return {};
}

Status GzipDecoder::finish() const {
  return in_member_ ? data_loss("gzip data ends early") : Status();
}

}  // namespace mybuild::snapshotter
