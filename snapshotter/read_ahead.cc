// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/read_ahead.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <limits>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace mybuild::snapshotter {

namespace {

constexpr std::size_t kBuffer = 256 * 1024;
constexpr std::size_t kMaxQueued = 6;
/// Shorter streams are read by the caller: a thread costs as much as reading this.
constexpr std::uint64_t kThreadAfter = 1024 * 1024;

/// Bytes that were read and are not used yet; without any: the end.
struct Piece {
  std::vector<std::byte> buffer;
  std::size_t begin = 0;
  std::size_t end = 0;
};

}  // namespace

struct ReadAhead::State {
  State(Source& stream, std::uint64_t until) : source(stream), read_by_caller_until(until) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { stop(); }

  Source& source;  // this and the hasher are the worker's, while there is one
  Hasher hasher;
  const std::uint64_t read_by_caller_until;
  std::uint64_t read_by_caller = 0;
  Piece current;

  std::thread worker;
  std::mutex mutex;
  std::condition_variable has_pieces;
  std::condition_variable has_room;
  std::deque<Piece> pieces;
  std::vector<std::vector<std::byte>> spare;
  std::optional<Error> error;  // after the last piece
  bool is_over = false;        // nothing comes after the pieces
  bool stopping = false;

  void stop() {
    if (!worker.joinable()) {
      return;
    }
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    has_room.notify_one();
    worker.join();
  }

  Result<std::size_t> read_hashed(MutableByteSpan buffer) {
    const std::size_t count = TRY(source.read(buffer));
    hasher.update(ByteSpan(buffer).first(count));
    return count;
  }

  std::vector<std::byte> take_buffer(std::unique_lock<std::mutex>& lock) {
    has_room.wait(lock, [this] { return stopping || pieces.size() < kMaxQueued; });
    if (spare.empty()) {
      return std::vector<std::byte>(kBuffer);
    }
    std::vector<std::byte> buffer = std::move(spare.back());
    spare.pop_back();
    return buffer;
  }

  void work() {
    std::unique_lock lock(mutex);
    while (!is_over && !stopping) {
      std::vector<std::byte> buffer = take_buffer(lock);
      lock.unlock();
      const Result<std::size_t> count = read_hashed(buffer);
      lock.lock();
      if (!count) {
        error = count.error();
      }
      is_over = !count || *count == 0;
      if (!is_over) {
        pieces.push_back({.buffer = std::move(buffer), .begin = 0, .end = *count});
      }
      has_pieces.notify_one();
    }
  }

  /// False at the end.
  Result<bool> next_piece() {
    std::unique_lock lock(mutex);
    if (!current.buffer.empty()) {
      spare.push_back(std::move(current.buffer));
      current = {};
    }
    has_pieces.wait(lock, [this] { return is_over || !pieces.empty(); });
    if (pieces.empty()) {
      return error ? Result<bool>(*error) : Result<bool>(false);
    }
    current = std::move(pieces.front());
    pieces.pop_front();
    lock.unlock();
    has_room.notify_one();
    return true;
  }
};

ReadAhead::ReadAhead(Source& source, Reader reader)
    : state_(std::make_unique<State>(source, reader == Reader::Thread
                                                 ? kThreadAfter
                                                 : std::numeric_limits<std::uint64_t>::max())) {}
ReadAhead::~ReadAhead() = default;

Result<std::size_t> ReadAhead::read(MutableByteSpan buffer) {
  State& state = *state_;
  if (state.read_by_caller < state.read_by_caller_until) {
    const std::size_t count = TRY(state.read_hashed(buffer));
    state.read_by_caller += count;
    return count;
  }
  if (!state.worker.joinable()) {
    state.worker = std::thread([&state] { state.work(); });
  }
  Piece& piece = state.current;
  if (piece.begin == piece.end && !TRY(state.next_piece())) {
    return std::size_t{0};
  }
  const std::size_t count = std::min(buffer.size(), piece.end - piece.begin);
  const auto from = piece.buffer.begin() + static_cast<std::ptrdiff_t>(piece.begin);
  std::copy_n(from, count, buffer.begin());
  piece.begin += count;
  return count;
}

Digest ReadAhead::finish() {
  state_->stop();
  return state_->hasher.finish();
}

}  // namespace mybuild::snapshotter
