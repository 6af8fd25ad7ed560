// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/background_hasher.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace mybuild::snapshotter {

namespace {

using Buffer = std::vector<std::byte>;

constexpr std::size_t kBuffer = 512 * 1024;
/// Shorter streams are hashed by the writer: a thread costs as much as hashing this.
constexpr std::size_t kThreadAfter = 2 * 1024 * 1024;
constexpr std::size_t kMaxQueued = 4;

}  // namespace

struct BackgroundHasher::State {
  Hasher hasher;  // the worker's, while there is one
  std::uint64_t size = 0;
  Buffer filling;

  std::thread worker;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Buffer> queued;
  std::vector<Buffer> spare;
  bool closing = false;

  ~State() { stop(); }

  void stop() {
    if (!worker.joinable()) {
      return;
    }
    {
      const std::lock_guard lock(mutex);
      closing = true;
    }
    changed.notify_all();
    worker.join();
  }

  void work() {
    std::unique_lock lock(mutex);
    for (;;) {
      changed.wait(lock, [this] { return closing || !queued.empty(); });
      if (queued.empty()) {
        return;
      }
      Buffer buffer = std::move(queued.front());
      queued.pop_front();
      lock.unlock();
      changed.notify_all();
      hasher.update(buffer);
      buffer.clear();
      lock.lock();
      spare.push_back(std::move(buffer));
    }
  }

  void hand_over() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return queued.size() < kMaxQueued; });
    queued.push_back(std::move(filling));
    filling = Buffer();
    if (!spare.empty()) {
      filling = std::move(spare.back());
      spare.pop_back();
    }
    lock.unlock();
    changed.notify_all();
  }

  void append(ByteSpan bytes) {
    while (!bytes.empty()) {
      filling.reserve(kBuffer);
      const std::size_t count = std::min(bytes.size(), kBuffer - filling.size());
      filling.insert(filling.end(), bytes.begin(),
                     bytes.begin() + static_cast<std::ptrdiff_t>(count));
      bytes = bytes.subspan(count);
      if (filling.size() == kBuffer) {
        hand_over();
      }
    }
  }
};

BackgroundHasher::BackgroundHasher() : state_(std::make_unique<State>()) {}
BackgroundHasher::~BackgroundHasher() = default;

Status BackgroundHasher::write(ByteSpan bytes) {
  state_->size += bytes.size();
  if (state_->size <= kThreadAfter) {
    state_->hasher.update(bytes);
    return {};
  }
  if (!state_->worker.joinable()) {
    state_->worker = std::thread([state = state_.get()] { state->work(); });
  }
  state_->append(bytes);
  return {};
}

Digest BackgroundHasher::finish() {
  if (!state_->filling.empty()) {
    state_->hand_over();
  }
  state_->stop();
  return state_->hasher.finish();
}

std::uint64_t BackgroundHasher::size() const {
  return state_->size;
}

}  // namespace mybuild::snapshotter
