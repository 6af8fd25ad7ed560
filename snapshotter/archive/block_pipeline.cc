// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/archive/block_pipeline.h"

#include <algorithm>

namespace mybuild::snapshotter {

BlockPipeline::BlockPipeline(BlockFormat& format, Sink& sink, std::size_t most)
    : format_(format), sink_(sink), most_(most) {}

BlockPipeline::~BlockPipeline() {
  {
    const Lock lock(mutex_);
    if (status_) {
      status_ = make_error(ErrorKind::Cancelled, "the stream was not finished");
    }
  }
  stop_writer();
}

Result<std::unique_ptr<Block>> BlockPipeline::take() {
  Lock lock(mutex_);
  while (status_ && spare_.empty() && made_ == most_) {
    if (!compress_one(lock)) {
      changed_.wait(lock);
    }
  }
  if (!status_) {
    return status_.error();
  }
  if (spare_.empty()) {
    ++made_;
    auto block = std::make_unique<Block>();
    block->input.reserve(format_.block_size());
    return block;
  }
  std::unique_ptr<Block> block = std::move(spare_.back());
  spare_.pop_back();
  return block;
}

void BlockPipeline::put(std::unique_ptr<Block> block) {
  {
    const Lock lock(mutex_);
    slots_.push_back({.block = std::move(block), .stage = Stage::Waiting});
  }
  if (!writer_.joinable()) {
    writer_ = std::thread([this] { write_all(); });
  }
  cores_.run([this] {
    Lock lock(mutex_);
    compress_one(lock);
  });
}

Status BlockPipeline::finish() {
  stop_writer();
  return status_;
}

/// False if no block waits for it.
bool BlockPipeline::compress_one(Lock& lock) {
  const auto waiting = std::find_if(slots_.begin(), slots_.end(),
                                    [](const Slot& slot) { return slot.stage == Stage::Waiting; });
  if (waiting == slots_.end()) {
    return false;
  }
  Slot& slot = *waiting;
  slot.stage = Stage::Compressing;
  const bool is_wanted = status_.has_value();
  lock.unlock();
  const Status compressed = is_wanted ? format_.compress(*slot.block) : Status();
  lock.lock();
  slot.stage = Stage::Done;
  if (status_ && !compressed) {
    status_ = compressed;
  }
  changed_.notify_all();
  return true;
}

void BlockPipeline::write_all() {
  Lock lock(mutex_);
  for (;;) {
    changed_.wait(
        lock, [this] { return slots_.empty() ? closing_ : slots_.front().stage == Stage::Done; });
    if (slots_.empty()) {
      return;
    }
    std::unique_ptr<Block> block = std::move(slots_.front().block);
    slots_.pop_front();
    if (status_) {
      lock.unlock();
      const Status written = sink_.write(ByteSpan(block->output).first(block->output_size));
      lock.lock();
      if (status_ && !written) {
        status_ = written;
      }
    }
    block->input.clear();
    spare_.push_back(std::move(block));
    changed_.notify_all();
  }
}

void BlockPipeline::stop_writer() {
  {
    Lock lock(mutex_);
    closing_ = true;
    while (compress_one(lock)) {
    }
  }
  changed_.notify_all();
  if (writer_.joinable()) {
    writer_.join();
  }
}

}  // namespace mybuild::snapshotter
