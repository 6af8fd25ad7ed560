// SPDX-License-Identifier: Apache-2.0
// Blocks go in, their compressed forms come out in the same order. Between the two they are
// compressed on all cores, and a thread of its own writes them: so reading, compressing and writing
// go on at once. Internal to archive/. Thread-compatible.
#pragma once

#include "snapshotter/archive/block_format.h"
#include "snapshotter/base/cpu.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace mybuild::snapshotter {

class BlockPipeline {
 public:
  /// At most `most` blocks exist. Both others must outlive it; nobody else writes to `sink` before
  /// finish().
  BlockPipeline(BlockFormat& format, Sink& sink, std::size_t most);
  BlockPipeline(const BlockPipeline&) = delete;
  BlockPipeline& operator=(const BlockPipeline&) = delete;
  /// What was not written yet is not: without finish() nobody wants it.
  ~BlockPipeline();

  /// An empty block. While there are too many this thread compresses, too, or waits. Fails as the
  /// compressor or the sink did.
  Result<std::unique_ptr<Block>> take();
  void put(std::unique_ptr<Block> block);
  /// Once: waits until all is written.
  Status finish();

 private:
  enum class Stage { Waiting, Compressing, Done };
  struct Slot {
    std::unique_ptr<Block> block;
    Stage stage = Stage::Waiting;
  };
  using Lock = std::unique_lock<std::mutex>;

  bool compress_one(Lock& lock);
  void write_all();
  void stop_writer();

  BlockFormat& format_;
  Sink& sink_;
  const std::size_t most_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Slot> slots_;  // in order; references stay while others come and go at the ends
  std::vector<std::unique_ptr<Block>> spare_;
  std::size_t made_ = 0;
  Status status_;  // the first that went wrong
  bool closing_ = false;
  std::thread writer_;
  cpu::Group cores_;  // the first to go: its bodies use all of the above
};

}  // namespace mybuild::snapshotter
