// SPDX-License-Identifier: Apache-2.0
// Guarded<T>: data that cannot be reached without its lock. Thread-safe.
#pragma once

#include <mutex>
#include <utility>

namespace mybuild {

template <class T>
class Guarded {
 public:
  template <class... Args>
  explicit Guarded(Args&&... args) : value_(std::forward<Args>(args)...) {}

  class Access {
   public:
    T& operator*() const& { return *value_; }
    // `for (x : *guarded.lock())` would let the lock go before the first round (C++20).
    T& operator*() const&& = delete;
    T* operator->() const { return value_; }

   private:
    friend class Guarded;
    Access(std::mutex& mutex, T& value) : lock_(mutex), value_(&value) {}
    std::unique_lock<std::mutex> lock_;
    T* value_;
  };

  /// Holds the lock while the Access lives.
  Access lock() { return Access(mutex_, value_); }

 private:
  std::mutex mutex_;
  T value_;
};

}  // namespace mybuild
