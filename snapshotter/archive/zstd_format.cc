// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/archive/block_format.h"
#include "snapshotter/archive/state_pool.h"

#include <zstd.h>

namespace mybuild::snapshotter {

namespace {

// Decides the bytes: format.md, "Compression".
constexpr std::size_t kBlockSize = std::size_t{8} << 20U;

struct FreeZstd {
  void operator()(ZSTD_CCtx* state) const { ZSTD_freeCCtx(state); }
};
using Zstd = std::unique_ptr<ZSTD_CCtx, FreeZstd>;

Zstd make_state(int level) {
  Zstd state(ZSTD_createCCtx());
  ZSTD_CCtx_setParameter(state.get(), ZSTD_c_compressionLevel, level);
  ZSTD_CCtx_setParameter(state.get(), ZSTD_c_contentSizeFlag, 1);
  ZSTD_CCtx_setParameter(state.get(), ZSTD_c_checksumFlag, 0);
  return state;
}

class ZstdFormat final : public BlockFormat {
 public:
  explicit ZstdFormat(int level) : states_([level] { return make_state(level); }) {}

  std::size_t block_size() const override { return kBlockSize; }
  Status compress(Block& block) override {
    Zstd state = states_.take();
    block.output.resize(ZSTD_compressBound(block.input.size()));
    block.output_size = ZSTD_compress2(state.get(), block.output.data(), block.output.size(),
                                       block.input.data(), block.input.size());
    states_.give_back(std::move(state));
    if (ZSTD_isError(block.output_size) != 0) {
      return internal_error("zstd could not compress a block: {}",
                            ZSTD_getErrorName(block.output_size));
    }
    return {};
  }

 private:
  StatePool<ZSTD_CCtx, FreeZstd> states_;
};

}  // namespace

std::unique_ptr<BlockFormat> make_zstd_format(int level) {
  return std::make_unique<ZstdFormat>(level);
}

}  // namespace mybuild::snapshotter
