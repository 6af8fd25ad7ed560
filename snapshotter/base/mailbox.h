// SPDX-License-Identifier: Apache-2.0
// Mailbox<T>: many threads post, one takes, in order. Thread-safe; take() is for the one owner.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>
#include <vector>

namespace mybuild {

template <class T>
class Mailbox {
 public:
  /// Says so under the lock: the owner may go with the mailbox as soon as it has the last message.
  void post(T message) {
    const std::lock_guard lock(mutex_);
    messages_.push_back(std::move(message));
    ready_.notify_one();
  }

  /// Waits for at least one message and takes all there are.
  std::vector<T> take() {
    std::unique_lock lock(mutex_);
    ready_.wait(lock, [this] { return !messages_.empty(); });
    return std::exchange(messages_, {});
  }
  /// The same, but no longer than until `deadline`; then there may be none.
  std::vector<T> take_until(std::chrono::steady_clock::time_point deadline) {
    std::unique_lock lock(mutex_);
    ready_.wait_until(lock, deadline, [this] { return !messages_.empty(); });
    return std::exchange(messages_, {});
  }

 private:
  std::mutex mutex_;
  std::condition_variable ready_;
  std::vector<T> messages_;
};

}  // namespace mybuild
