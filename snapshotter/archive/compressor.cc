// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/archive/block_format.h"
#include "snapshotter/archive/block_pipeline.h"
#include "snapshotter/archive/codec.h"
#include "snapshotter/base/cpu.h"

#include <libdeflate.h>

#include <algorithm>

namespace mybuild::snapshotter {

namespace {

// These, with those of the formats, decide the bytes: format.md, "Compression".
constexpr int kFirstLibdeflateLevel = 4;  // who asks for less wants speed: our encoder has most
constexpr int kZstdLevel = 3;

constexpr std::size_t kMaxInput = std::size_t{64} << 20U;  // bytes on the way, on large machines

/// Each core has a block and the next one, so that none waits while others are read and written.
std::size_t most_blocks(std::size_t block_size) {
  return std::min(kMaxInput / block_size, 2 * cpu::parallelism() + 2);
}

/// Cuts a stream into blocks, and lets a pipeline run when there are several.
class BlockCompressor final : public Compressor {
 public:
  BlockCompressor(std::unique_ptr<BlockFormat> format, Sink& sink)
      : format_(std::move(format)),
        sink_(sink),
        pipeline_(*format_, sink, most_blocks(format_->block_size())) {}

  Status write(ByteSpan bytes) override {
    if (format_->wants_crc()) {
      crc_ = libdeflate_crc32(crc_, bytes.data(), bytes.size());
    }
    size_ += bytes.size();
    while (!bytes.empty()) {
      // A full block waits for one more byte: only then it is known not to be the last one.
      if (!filling_ || filling_->input.size() == format_->block_size()) {
        TRY(next_block());
      }
      std::vector<std::byte>& input = filling_->input;
      const std::size_t count = std::min(bytes.size(), format_->block_size() - input.size());
      input.insert(input.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
      bytes = bytes.subspan(count);
    }
    return {};
  }

  Status finish() override {
    if (!filling_) {
      TRY(next_block());
    }
    filling_->is_last = true;
    if (size_ <= format_->block_size()) {
      TRY(format_->compress(*filling_));
      TRY(sink_.write(ByteSpan(filling_->output).first(filling_->output_size)));
    } else {
      pipeline_.put(std::move(filling_));
      TRY(pipeline_.finish());
    }
    return sink_.write(format_->trailer(crc_, size_));
  }

 private:
  Status next_block() {
    if (filling_) {
      pipeline_.put(std::move(filling_));
    } else {
      TRY(sink_.write(format_->header()));
    }
    filling_ = TRY(pipeline_.take());
    return {};
  }

  std::unique_ptr<BlockFormat> format_;
  Sink& sink_;
  BlockPipeline pipeline_;
  std::unique_ptr<Block> filling_;
  std::uint32_t crc_ = 0;
  std::uint64_t size_ = 0;
};

class PassThrough final : public Compressor {
 public:
  explicit PassThrough(Sink& sink) : sink_(sink) {}
  Status write(ByteSpan bytes) override { return sink_.write(bytes); }
  Status finish() override { return {}; }

 private:
  Sink& sink_;
};

std::unique_ptr<BlockFormat> gzip_format(std::optional<int> level) {
  if (!level || (*level > 0 && *level < kFirstLibdeflateLevel)) {
    return make_gzip_format();
  }
  return make_gzip_format(std::clamp(*level, 0, 12));
}

}  // namespace

std::unique_ptr<Compressor> make_compressor(CompressionSpec spec, Sink& sink) {
  switch (spec.compression) {
    case oci::Compression::Gzip:
      return std::make_unique<BlockCompressor>(gzip_format(spec.level), sink);
    case oci::Compression::Zstd: {
      const int level = std::clamp(spec.level.value_or(kZstdLevel), 1, 22);
      return std::make_unique<BlockCompressor>(make_zstd_format(level), sink);
    }
    case oci::Compression::None:
      break;
  }
  return std::make_unique<PassThrough>(sink);
}

}  // namespace mybuild::snapshotter
