// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/archive/codec.h"
#include "snapshotter/archive/deflate_blocks.h"
#include "snapshotter/base/cpu.h"
#include "snapshotter/base/guarded.h"

#include <libdeflate.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <functional>

namespace mybuild::snapshotter {

namespace {

// These three, and the versions of the libraries, decide the bytes: format.md, "Compression".
constexpr std::size_t kGzipBlock = std::size_t{1} << 20U;
constexpr std::size_t kZstdBlock = std::size_t{4} << 20U;
constexpr int kGzipLevel = 5;  // the ratio of gzip -6
constexpr int kZstdLevel = 3;

constexpr std::size_t kBlocksPerCore =
    4;  // so that one slow block does not idle the other cores for long
constexpr std::size_t kMaxBatch = std::size_t{64} << 20U;  // bytes; bounds memory on large machines

using Bytes = std::vector<std::byte>;

/// One compression format. Thread-safe.
class BlockFormat {
 public:
  virtual ~BlockFormat() = default;
  virtual std::size_t block_size() const = 0;
  virtual Bytes header() const = 0;
  virtual Result<Bytes> compress(ByteSpan block, bool last) = 0;
  virtual Bytes trailer(std::uint32_t crc, std::uint64_t size) const = 0;
  virtual bool wants_crc() const = 0;
};

/// Compressor states are a few hundred kilobytes each: as many as blocks run at once are made, and
/// kept.
template <class T, class Free>
class StatePool {
 public:
  using Handle = std::unique_ptr<T, Free>;
  explicit StatePool(std::function<T*()> make) : make_(std::move(make)) {}

  Handle take() {
    {
      const auto idle = idle_.lock();
      if (!idle->empty()) {
        Handle handle = std::move(idle->back());
        idle->pop_back();
        return handle;
      }
    }
    return Handle(make_());
  }
  void give_back(Handle handle) { idle_.lock()->push_back(std::move(handle)); }

 private:
  std::function<T*()> make_;
  Guarded<std::vector<Handle>> idle_;
};

struct FreeDeflate {
  void operator()(libdeflate_compressor* state) const { libdeflate_free_compressor(state); }
};
struct FreeZstd {
  void operator()(ZSTD_CCtx* state) const { ZSTD_freeCCtx(state); }
};

void append_little_endian(Bytes& out, std::uint32_t value) {
  for (unsigned shift = 0; shift < 32; shift += 8) {
    out.push_back(static_cast<std::byte>((value >> shift) & 0xffU));
  }
}

/// One gzip member. Each block is compressed as if it stood alone and made continuable, all but the
/// last.
class GzipFormat final : public BlockFormat {
 public:
  explicit GzipFormat(int level)
      : states_([level] { return libdeflate_alloc_compressor(std::clamp(level, 0, 12)); }) {}

  std::size_t block_size() const override { return kGzipBlock; }
  Bytes header() const override {
    // No name, no time, system "unknown": as Go's compress/gzip writes it.
    constexpr std::array<unsigned char, 10> kHeader = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff};
    const ByteSpan bytes = std::as_bytes(std::span(kHeader));
    return {bytes.begin(), bytes.end()};
  }
  Result<Bytes> compress(ByteSpan block, bool last) override {
    auto state = states_.take();
    Bytes out(libdeflate_deflate_compress_bound(state.get(), block.size()));
    const std::size_t size = libdeflate_deflate_compress(state.get(), block.data(), block.size(),
                                                         out.data(), out.size());
    states_.give_back(std::move(state));
    if (size == 0) {
      return internal_error("libdeflate could not compress a block");
    }
    out.resize(size);
    if (!last) {
      TRY(make_continuable(out));
    }
    return out;
  }
  Bytes trailer(std::uint32_t crc, std::uint64_t size) const override {
    Bytes bytes;
    append_little_endian(bytes, crc);
    append_little_endian(bytes, static_cast<std::uint32_t>(size & 0xffff'ffffU));
    return bytes;
  }
  bool wants_crc() const override { return true; }

 private:
  StatePool<libdeflate_compressor, FreeDeflate> states_;
};

/// One frame per block, with its size and without a checksum; frames in a row are one stream.
class ZstdFormat final : public BlockFormat {
 public:
  explicit ZstdFormat(int level)
      : states_([level] {
          ZSTD_CCtx* state = ZSTD_createCCtx();
          ZSTD_CCtx_setParameter(state, ZSTD_c_compressionLevel, std::clamp(level, 1, 22));
          ZSTD_CCtx_setParameter(state, ZSTD_c_contentSizeFlag, 1);
          ZSTD_CCtx_setParameter(state, ZSTD_c_checksumFlag, 0);
          return state;
        }) {}

  std::size_t block_size() const override { return kZstdBlock; }
  Bytes header() const override { return {}; }
  Result<Bytes> compress(ByteSpan block, bool) override {
    auto state = states_.take();
    Bytes out(ZSTD_compressBound(block.size()));
    const std::size_t size =
        ZSTD_compress2(state.get(), out.data(), out.size(), block.data(), block.size());
    states_.give_back(std::move(state));
    if (ZSTD_isError(size) != 0) {
      return internal_error("zstd could not compress a block: {}", ZSTD_getErrorName(size));
    }
    out.resize(size);
    return out;
  }
  Bytes trailer(std::uint32_t, std::uint64_t) const override { return {}; }
  bool wants_crc() const override { return false; }

 private:
  StatePool<ZSTD_CCtx, FreeZstd> states_;
};

/// Gathers blocks, compresses a batch of them on all cores, writes them in order.
class BlockCompressor final : public Compressor {
 public:
  BlockCompressor(std::unique_ptr<BlockFormat> format, Sink& sink)
      : format_(std::move(format)),
        sink_(sink),
        block_size_(format_->block_size()),
        capacity_(block_size_ *
                  std::min(kMaxBatch / block_size_, kBlocksPerCore * cpu::parallelism())) {}

  Status write(ByteSpan bytes) override {
    if (format_->wants_crc()) {
      crc_ = libdeflate_crc32(crc_, bytes.data(), bytes.size());
    }
    size_ += bytes.size();
    while (!bytes.empty()) {
      // A full batch waits for one more byte: only then it is known not to hold the last block.
      if (pending_.size() == capacity_) {
        TRY(flush(false));
      }
      const std::size_t count = std::min(bytes.size(), capacity_ - pending_.size());
      pending_.insert(pending_.end(), bytes.begin(),
                      bytes.begin() + static_cast<std::ptrdiff_t>(count));
      bytes = bytes.subspan(count);
    }
    return {};
  }

  Status finish() override {
    TRY(flush(true));
    return sink_.write(format_->trailer(crc_, size_));
  }

 private:
  Status flush(bool last) {
    if (!std::exchange(started_, true)) {
      TRY(sink_.write(format_->header()));
    }
    // No bytes at all are one empty block.
    const std::size_t count =
        std::max<std::size_t>(1, (pending_.size() + block_size_ - 1) / block_size_);
    std::vector<Result<Bytes>> blocks(count, Bytes());
    cpu::for_each(count, [&](std::size_t i) {
      const std::size_t begin = i * block_size_;
      const std::size_t size = std::min(block_size_, pending_.size() - begin);
      blocks[i] =
          format_->compress(ByteSpan(pending_).subspan(begin, size), last && i + 1 == count);
    });
    pending_.clear();
    for (Result<Bytes>& block : blocks) {
      const Bytes bytes = TRY(std::move(block));
      TRY(sink_.write(bytes));
    }
    return {};
  }

  std::unique_ptr<BlockFormat> format_;
  Sink& sink_;
  const std::size_t block_size_;
  const std::size_t capacity_;
  Bytes pending_;
  std::uint32_t crc_ = 0;
  std::uint64_t size_ = 0;
  bool started_ = false;
};

class PassThrough final : public Compressor {
 public:
  explicit PassThrough(Sink& sink) : sink_(sink) {}
  Status write(ByteSpan bytes) override { return sink_.write(bytes); }
  Status finish() override { return {}; }

 private:
  Sink& sink_;
};

}  // namespace

std::unique_ptr<Compressor> make_compressor(CompressionSpec spec, Sink& sink) {
  switch (spec.compression) {
    case oci::Compression::Gzip:
      return std::make_unique<BlockCompressor>(
          std::make_unique<GzipFormat>(spec.level.value_or(kGzipLevel)), sink);
    case oci::Compression::Zstd:
      return std::make_unique<BlockCompressor>(
          std::make_unique<ZstdFormat>(spec.level.value_or(kZstdLevel)), sink);
    case oci::Compression::None:
      break;
  }
  return std::make_unique<PassThrough>(sink);
}

}  // namespace mybuild::snapshotter
