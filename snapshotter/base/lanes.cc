// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/lanes.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

namespace mybuild {

class Lanes::Pool {
 public:
  explicit Pool(std::size_t cap) : cap_(cap) {}
  ~Pool() {
    std::unique_lock lock(mutex_);
    closing_ = true;
    wake_.notify_all();
    while (!threads_.empty()) {  // a task that still runs may post, and so add a thread
      std::thread last = std::move(threads_.back());
      threads_.pop_back();
      lock.unlock();
      last.join();
      lock.lock();
    }
  }

  std::size_t cap() const { return cap_; }

  void post(std::function<void()> task, std::uint32_t priority) {
    const std::lock_guard lock(mutex_);
    tasks_.push_back({.priority = priority, .number = posted_++, .run = std::move(task)});
    std::push_heap(tasks_.begin(), tasks_.end());
    call_a_thread();
  }

  void begin_threads(std::size_t count) {
    const std::lock_guard lock(mutex_);
    const std::size_t most = cap_ == 0 ? count : std::min(count, cap_);
    while (threads_.size() < most && add_a_thread()) {
    }
  }

  void step_aside(const std::function<void()>& wait) {
    if (current != this) {
      wait();
      return;
    }
    {
      const std::lock_guard lock(mutex_);
      --running_;
      ++aside_;
      call_a_thread();
      call_one_back();
    }
    wait();
    std::unique_lock lock(mutex_);
    --aside_;
    ++returning_;
    room_.wait(lock, [this] { return has_room(); });
    --returning_;
    ++running_;
    there_is_room();  // maybe for more than one
  }

 private:
  bool has_room() const { return cap_ == 0 || running_ < cap_; }
  /// Those who come back go first: they have begun.
  bool may_begin() const { return !tasks_.empty() && returning_ == 0 && has_room(); }

  /// Under the lock.
  void call_a_thread() {
    if (idle_ >= tasks_.size() || (cap_ != 0 && threads_.size() - aside_ >= cap_) ||
        !add_a_thread()) {
      wake_.notify_one();
    }
  }

  /// Where the system gives us no more, those that are there do it, one task after the other.
  bool add_a_thread() {
    try {
      threads_.emplace_back([this] { run(); });
      return true;
    } catch (const std::system_error&) {
      if (threads_.size() == aside_) {
        throw;
      }
      return false;
    }
  }

  void call_one_back() {
    if (returning_ != 0) {
      room_.notify_one();
    }
  }

  void there_is_room() {
    call_one_back();
    if (closing_) {
      wake_.notify_all();
    } else if (!tasks_.empty()) {
      wake_.notify_one();
    }
  }

  void run() {
    current = this;
    std::unique_lock lock(mutex_);
    for (;;) {
      ++idle_;
      wake_.wait(lock, [this] { return may_begin() || (closing_ && tasks_.empty()); });
      --idle_;
      if (tasks_.empty()) {
        return;
      }
      const std::function<void()> task = take();
      ++running_;
      lock.unlock();
      task();
      lock.lock();
      --running_;
      there_is_room();
    }
  }

  struct Task {
    std::uint32_t priority = 0;
    std::uint64_t number = 0;  // in the order they were posted
    std::function<void()> run;
    /// The next one is the largest.
    bool operator<(const Task& other) const {
      return priority != other.priority ? priority < other.priority : number > other.number;
    }
  };

  std::function<void()> take() {
    std::pop_heap(tasks_.begin(), tasks_.end());
    std::function<void()> task = std::move(tasks_.back().run);
    tasks_.pop_back();
    return task;
  }

  static thread_local Pool* current;

  const std::size_t cap_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable room_;
  std::vector<Task> tasks_;  // a heap
  std::uint64_t posted_ = 0;
  std::vector<std::thread> threads_;
  std::size_t idle_ = 0;
  std::size_t running_ = 0;    // tasks, without those that stepped aside
  std::size_t aside_ = 0;      // tasks that wait for somebody else
  std::size_t returning_ = 0;  // tasks that waited, and now for room
  bool closing_ = false;
};

thread_local Lanes::Pool* Lanes::Pool::current = nullptr;

Lanes::Lanes(Caps caps)
    : pools_{std::make_unique<Pool>(caps.exec), std::make_unique<Pool>(caps.net),
             std::make_unique<Pool>(caps.disk)} {}
Lanes::~Lanes() = default;

void Lanes::post(Lane lane, std::function<void()> task, std::uint32_t priority) {
  pools_[static_cast<std::size_t>(lane)]->post(std::move(task), priority);
}

void Lanes::begin_threads(Lane lane, std::size_t count) {
  pools_[static_cast<std::size_t>(lane)]->begin_threads(count);
}

void Lanes::step_aside(Lane lane, const std::function<void()>& wait) {
  pools_[static_cast<std::size_t>(lane)]->step_aside(wait);
}

namespace {

/// What has begun is helped to its end first.
constexpr std::uint32_t kStartedWork = ~std::uint32_t{0};

/// What the helpers of one fan_out share. A helper that comes late finds no index left and only
/// drops its reference.
struct FanOut {
  std::size_t count;
  const std::function<Status(std::size_t)>* body;
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::condition_variable finished;
  std::size_t done = 0;
  std::size_t failed_index = 0;
  std::optional<Error> error;

  void work() {
    for (std::size_t index = next++; index < count; index = next++) {
      Status status = failed_before(index) ? Status() : (*body)(index);
      const std::lock_guard lock(mutex);
      if (!status && (!error || index < failed_index)) {
        error = std::move(status).error();
        failed_index = index;
      }
      if (++done == count) {
        finished.notify_all();
      }
    }
  }
  /// Only later ones are left out, so that which error is the first does not depend on timing.
  bool failed_before(std::size_t index) {
    const std::lock_guard lock(mutex);
    return error.has_value() && failed_index < index;
  }
};

}  // namespace

Status Lanes::fan_out(Lane lane, std::size_t count,
                      const std::function<Status(std::size_t)>& body) {
  if (count == 0) {
    return {};
  }
  const auto shared = std::make_shared<FanOut>();
  shared->count = count;
  shared->body = &body;
  const std::size_t cap = pools_[static_cast<std::size_t>(lane)]->cap();
  const std::size_t helpers = cap == 0 ? count - 1 : std::min(count - 1, cap);
  for (std::size_t i = 0; i < helpers; ++i) {
    post(
        lane, [shared] { shared->work(); }, kStartedWork);
  }
  shared->work();
  std::unique_lock lock(shared->mutex);
  shared->finished.wait(lock, [&] { return shared->done == shared->count; });
  if (shared->error) {
    return *shared->error;
  }
  return {};
}

}  // namespace mybuild
