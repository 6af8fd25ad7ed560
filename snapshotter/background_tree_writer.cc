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
constexpr std::size_t kMaxQueued = 256;  // each may hold a descriptor
constexpr std::size_t kMaxQueuedBytes = std::size_t{4} << 20U;
constexpr std::size_t kMaxSpare = 32;

/// What is done in one go, in list order but for whole files, which nothing before them depends on.
struct Piece {
  const Entry* entry = nullptr;
  int parent = -1;  // where it is made, open until its own piece with `left` is done
  Fd left;          // of a directory that has all its children
  BackgroundTreeWriter::Bytes buffer;
  std::size_t size = 0;
  bool is_first = true;
  bool is_last = true;

  bool is_whole_file() const { return entry->type == EntryType::File && is_first && is_last; }
};

}  // namespace

struct BackgroundTreeWriter::State {
  explicit State(Fd root)
      : writer(std::move(root), [this](const Entry& entry, Fd dir) {
          Piece piece;
          piece.entry = &entry;
          piece.left = std::move(dir);
          return push(std::move(piece));
        }) {}
  ~State() { stop(); }

  TreeWriter writer;        // the caller's, but for make()
  bool is_in_file = false;  // the caller has given a part of one
  std::size_t count = 0;

  Fd file;  // with some of its bytes; the worker's, while it has something to do
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
    if (piece.left) {
      return finish_directory(piece.left.get(), entry);
    }
    if (entry.type != EntryType::File) {
      return writer.make(entry, piece.parent);
    }
    if (piece.is_whole_file()) {
      return fill(TRY(create(piece)), piece);
    }
    if (!file) {
      file = TRY(create(piece));
    }
    if (piece.is_last) {
      return fill(std::exchange(file, Fd()), piece);
    }
    return write(file.get(), piece);
  }

  static Result<Fd> create(const Piece& piece) {
    const Entry& entry = *piece.entry;
    return create_file(piece.parent, std::string(base_name(entry.path)), entry.mode)
        .context(entry.path);
  }

  static Status write(int fd, const Piece& piece) {
    return sys::write_all(fd, ByteSpan(piece.buffer).first(piece.size)).context(piece.entry->path);
  }

  /// With its last bytes.
  static Status fill(const Fd& fd, const Piece& piece) {
    TRY(write(fd.get(), piece));
    return finish_file(fd.get(), *piece.entry).context(piece.entry->path);
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
      keep(std::move(piece.buffer));
      queued.pop_front();
      has_room.notify_one();
    }
  }

  void keep(Bytes buffer) {
    if (spare.size() < kMaxSpare) {
      spare.push_back(std::move(buffer));
    }
  }

  bool has_space() const {
    return queued.empty() || (queued.size() < kMaxQueued && queued_bytes < kMaxQueuedBytes);
  }

  Status push(Piece piece) {
    if (++count <= kThreadAfter) {
      return make(piece);
    }
    if (!worker.joinable()) {
      worker = std::thread([this] { work(); });
    }
    std::unique_lock lock(mutex);
    if (!error && !has_space() && piece.is_whole_file()) {
      lock.unlock();
      TRY(make(piece));
      lock.lock();
      keep(std::move(piece.buffer));
      return {};
    }
    has_room.wait(lock, [this] { return has_space(); });
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
  if (entry.type == EntryType::Directory) {
    return state_->writer.add(entry);
  }
  Piece piece;
  piece.entry = &entry;
  piece.parent = TRY(state_->writer.parent_of(entry));
  return state_->push(std::move(piece));
}

Status BackgroundTreeWriter::write(const Entry& file, Bytes buffer, std::size_t size,
                                   bool is_last) {
  Piece piece;
  piece.entry = &file;
  piece.parent = TRY(state_->writer.parent_of(file));
  piece.buffer = std::move(buffer);
  piece.size = size;
  piece.is_first = !std::exchange(state_->is_in_file, !is_last);
  piece.is_last = is_last;
  return state_->push(std::move(piece));
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
  state_->is_in_file = true;
}

Status BackgroundTreeWriter::finish() {
  TRY(state_->writer.leave_all());
  TRY(state_->drain());
  return state_->writer.finish();
}

}  // namespace mybuild::snapshotter
