// SPDX-License-Identifier: Apache-2.0
// BusyTime: for how long at least one of several things was under way, as a user sees it who waits
// for all of them: what overlaps counts once. Thread-safe.
#pragma once

#include <chrono>
#include <mutex>

namespace mybuild::cache_client {

class BusyTime {
 public:
  using Milliseconds = std::chrono::milliseconds;
  /// One thing, while it lives.
  class One {
   public:
    explicit One(BusyTime& of) : of_(of) { of_.begin(); }
    ~One() { of_.end(); }
    One(const One&) = delete;
    One& operator=(const One&) = delete;

   private:
    BusyTime& of_;
  };
  /// By now, with what is under way.
  Milliseconds total() const {
    const std::lock_guard lock(mutex_);
    return std::chrono::duration_cast<Milliseconds>(
        sum_ + (count_ > 0 ? Steady::now() - since_ : Steady::duration::zero()));
  }

 private:
  using Steady = std::chrono::steady_clock;
  void begin() {
    const std::lock_guard lock(mutex_);
    if (count_++ == 0) {
      since_ = Steady::now();
    }
  }
  void end() {
    const std::lock_guard lock(mutex_);
    if (--count_ == 0) {
      sum_ += Steady::now() - since_;
    }
  }

  mutable std::mutex mutex_;
  int count_ = 0;
  Steady::time_point since_{};
  Steady::duration sum_{};
};

}  // namespace mybuild::cache_client
