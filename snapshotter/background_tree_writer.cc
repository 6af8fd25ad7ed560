// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/background_tree_writer.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/tree_entry.h"
#include "snapshotter/tree_writer.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

namespace mybuild::snapshotter {

namespace {

/// A thread costs as much as making so many small files.
constexpr std::size_t kThreadAfter = 32;
constexpr std::size_t kMaxQueued = 512;
constexpr std::size_t kMaxQueuedBytes = std::size_t{8} << 20U;
constexpr std::size_t kMaxSpare = 32;

struct Piece {
  const Entry* entry = nullptr;
  BackgroundTreeWriter::Bytes buffer = {};
  std::size_t size = 0;
  bool is_last = true;
};

}  // namespace

struct BackgroundTreeWriter::State {
  explicit State(Fd root) : writer(std::move(root)) {}
  ~State() { stop(); }

  TreeWriter writer;  // this and `file` are the worker's, while it has something to do
  Fd file;
  std::size_t count = 0;

  std::thread worker;
  std::mutex mutex;
  std::condition_variable has_work;
  std::condition_variable has_room;
  std::deque<Piece> queued;  // the front one is being written
  std::size_t queued_bytes = 0;
  std::vector<Bytes> spare;
  std::optional<Error> error;
  bool closing = false;

  void stop() {
    if (!worker.joinable()) {
      return;
    }
    {
      const std::lock_guard lock(mutex);
      closing = true;
    }
    has_work.notify_one();
    worker.join();
  }

  Status make(const Piece& piece) {
    const Entry& entry = *piece.entry;
    if (entry.type != EntryType::File) {
      return writer.add(entry);
    }
    if (!file) {
      file = TRY(writer.create(entry));
    }
    TRY(sys::write_all(file.get(), ByteSpan(piece.buffer).first(piece.size)).context(entry.path));
    if (!piece.is_last) {
      return {};
    }
    const Fd done = std::exchange(file, Fd());
    return finish_file(done.get(), entry).context(entry.path);
  }

  void work() {
    std::unique_lock lock(mutex);
    for (;;) {
      has_work.wait(lock, [this] { return closing || !queued.empty(); });
      if (queued.empty()) {
        return;
      }
      Piece& piece = queued.front();  // a deque's elements stay where they are
      Status made;
      if (!error && !closing) {
        lock.unlock();
        made = make(piece);
        lock.lock();
      }
      if (!made) {
        error = std::move(made).error();
      }
      queued_bytes -= piece.buffer.size();
      if (spare.size() < kMaxSpare) {
        spare.push_back(std::move(piece.buffer));
      }
      queued.pop_front();
      has_room.notify_one();
    }
  }

  Status push(Piece piece) {
    if (++count <= kThreadAfter) {
      return make(piece);
    }
    if (!worker.joinable()) {
      worker = std::thread([this] { work(); });
    }
    std::unique_lock lock(mutex);
    has_room.wait(lock, [this] {
      return queued.empty() || (queued.size() < kMaxQueued && queued_bytes < kMaxQueuedBytes);
    });
    if (error) {
      return *error;
    }
    queued_bytes += piece.buffer.size();
    queued.push_back(std::move(piece));
    const bool was_idle = queued.size() == 1;
    lock.unlock();
    if (was_idle) {
      has_work.notify_one();
    }
    return {};
  }

  Status drain() {
    std::unique_lock lock(mutex);
    has_room.wait(lock, [this] { return queued.empty(); });
    return error ? Status(*error) : Status();
  }
};

BackgroundTreeWriter::BackgroundTreeWriter(Fd root)
    : state_(std::make_unique<State>(std::move(root))) {}
BackgroundTreeWriter::~BackgroundTreeWriter() = default;

Status BackgroundTreeWriter::add(const Entry& entry) {
  return state_->push({.entry = &entry, .buffer = {}, .size = 0, .is_last = true});
}

Status BackgroundTreeWriter::write(const Entry& file, Bytes buffer, std::size_t size,
                                   bool is_last) {
  return state_->push(
      {.entry = &file, .buffer = std::move(buffer), .size = size, .is_last = is_last});
}

BackgroundTreeWriter::Bytes BackgroundTreeWriter::buffer() {
  const std::lock_guard lock(state_->mutex);
  if (state_->spare.empty()) {
    return {};
  }
  Bytes bytes = std::move(state_->spare.back());
  state_->spare.pop_back();
  return bytes;
}

Result<Fd> BackgroundTreeWriter::create(const Entry& file) {
  TRY(state_->drain());
  return state_->writer.create(file);
}

/// Nothing is queued since create(), so `file` is not in use.
void BackgroundTreeWriter::hand_over(Fd file) {
  state_->file = std::move(file);
}

Status BackgroundTreeWriter::finish() {
  TRY(state_->drain());
  return state_->writer.finish();
}

}  // namespace mybuild::snapshotter
