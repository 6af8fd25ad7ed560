// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/archive/deflate/encoder.h"

#include "snapshotter/archive/deflate/block_writer.h"
#include "snapshotter/archive/deflate/parser.h"

namespace mybuild::snapshotter::deflate {

namespace {

/// Bytes that are counted at a time: blocks begin and end at their borders.
constexpr std::size_t kChunk = std::size_t{16} << 10U;
constexpr std::size_t kMaxBlock = 8 * kChunk;

}  // namespace

struct Encoder::State {
  // A block and the chunk after it, each with a copy that leads beyond its end.
  Parser parser;
  Sequences sequences{kMaxBlock + 2 * kChunk, kMaxBlock / kChunk + 2};
};

namespace {

/// Chunks are put together as long as they need fewer bits as one block than as two.
class BlockSplitter {
 public:
  BlockSplitter(const std::byte* input, Sequences& sequences, BitWriter& out)
      : input_(reinterpret_cast<const std::uint8_t*>(input)), sequences_(sequences), out_(out) {}

  /// Takes what was appended to the sequences since the last call.
  void add_chunk() {
    const SymbolCounts next(sequences_.after(content_));
    const std::uint64_t next_bits = estimate_bits(next);
    if (counts_.bytes == 0) {
      begin(next, next_bits);
      return;
    }
    const SymbolCounts both = counts_.with(next);
    const std::uint64_t both_bits = estimate_bits(both);
    if (both.bytes > kMaxBlock || both_bits > bits_ + next_bits) {
      write(false);
      begin(next, next_bits);
    } else {
      begin(both, both_bits);
    }
  }

  void finish(bool last) {
    if (counts_.bytes != 0 || last) {
      write(last);
    }
    if (!last && !out_.is_aligned()) {
      write_empty_block(out_);
    }
    out_.align();
  }

 private:
  void begin(const SymbolCounts& counts, std::uint64_t bits) {
    counts_ = counts;
    bits_ = bits;
    content_ = sequences_.view();
  }

  void write(bool last) {
    write_block(out_, {.input = input_, .content = content_, .counts = counts_}, last);
    input_ += counts_.bytes;
    sequences_.drop(content_);
    content_ = {};
  }

  const std::uint8_t* input_;
  Sequences& sequences_;
  BitWriter& out_;
  SequenceView content_;  // the block so far
  SymbolCounts counts_;   // of it
  std::uint64_t bits_ = 0;
};

}  // namespace

Encoder::Encoder() : state_(std::make_unique<State>()) {}
Encoder::~Encoder() = default;

std::size_t Encoder::bound(std::size_t input_size) {
  constexpr std::size_t kHeader = 3 + 4 + 1;  // of a stored block, and what fills up a byte
  const std::size_t blocks = input_size / kChunk + input_size / kMaxStored + 3;
  return input_size + blocks * kHeader + BitWriter::kSlack;
}

std::size_t Encoder::encode(ByteSpan input, bool last, MutableByteSpan out) {
  BitWriter writer(reinterpret_cast<std::uint8_t*>(out.data()));
  BlockSplitter splitter(input.data(), state_->sequences, writer);
  state_->parser.start(input);
  while (!state_->parser.at_end()) {
    state_->parser.parse(kChunk, state_->sequences);
    splitter.add_chunk();
  }
  splitter.finish(last);
  return writer.size();
}

}  // namespace mybuild::snapshotter::deflate
