// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/archive/block_format.h"
#include "snapshotter/archive/deflate/encoder.h"
#include "snapshotter/archive/deflate_blocks.h"
#include "snapshotter/archive/state_pool.h"

#include <libdeflate.h>

#include <array>

namespace mybuild::snapshotter {

namespace {

// Decides the bytes: format.md, "Compression".
constexpr std::size_t kBlockSize = std::size_t{1} << 20U;

void append_little_endian(std::vector<std::byte>& out, std::uint32_t value) {
  for (unsigned shift = 0; shift < 32; shift += 8) {
    out.push_back(static_cast<std::byte>((value >> shift) & 0xffU));
  }
}

/// The frame around the deflate stream, whoever makes that.
class GzipFormat : public BlockFormat {
 public:
  std::size_t block_size() const override { return kBlockSize; }
  std::vector<std::byte> header() const override {
    // No name, no time, system "unknown": as Go's compress/gzip writes it.
    constexpr std::array<unsigned char, 10> kHeader = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff};
    const ByteSpan bytes = std::as_bytes(std::span(kHeader));
    return {bytes.begin(), bytes.end()};
  }
  std::vector<std::byte> trailer(std::uint32_t crc, std::uint64_t size) const override {
    std::vector<std::byte> bytes;
    append_little_endian(bytes, crc);
    append_little_endian(bytes, static_cast<std::uint32_t>(size & 0xffff'ffffU));
    return bytes;
  }
  bool wants_crc() const override { return true; }
};

class OwnGzip final : public GzipFormat {
 public:
  Status compress(Block& block) override {
    auto encoder = encoders_.take();
    block.output.resize(deflate::Encoder::bound(block.input.size()));
    block.output_size = encoder->encode(block.input, block.is_last, block.output);
    encoders_.give_back(std::move(encoder));
    return {};
  }

 private:
  StatePool<deflate::Encoder> encoders_{[] { return std::make_unique<deflate::Encoder>(); }};
};

struct FreeLibdeflate {
  void operator()(libdeflate_compressor* state) const { libdeflate_free_compressor(state); }
};
using Libdeflate = std::unique_ptr<libdeflate_compressor, FreeLibdeflate>;

/// Each block is compressed as if it stood alone and made continuable, all but the last.
class LibdeflateGzip final : public GzipFormat {
 public:
  explicit LibdeflateGzip(int level)
      : states_([level] { return Libdeflate(libdeflate_alloc_compressor(level)); }) {}

  Status compress(Block& block) override {
    Libdeflate state = states_.take();
    std::vector<std::byte>& out = block.output;
    out.resize(libdeflate_deflate_compress_bound(state.get(), block.input.size()));
    out.resize(libdeflate_deflate_compress(state.get(), block.input.data(), block.input.size(),
                                           out.data(), out.size()));
    states_.give_back(std::move(state));
    if (out.empty()) {
      return internal_error("libdeflate could not compress a block");
    }
    if (!block.is_last) {
      TRY(make_continuable(out));
    }
    block.output_size = out.size();
    return {};
  }

 private:
  StatePool<libdeflate_compressor, FreeLibdeflate> states_;
};

}  // namespace

std::unique_ptr<BlockFormat> make_gzip_format() {
  return std::make_unique<OwnGzip>();
}
std::unique_ptr<BlockFormat> make_gzip_format(int libdeflate_level) {
  return std::make_unique<LibdeflateGzip>(libdeflate_level);
}

}  // namespace mybuild::snapshotter
