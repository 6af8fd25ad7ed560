// SPDX-License-Identifier: Apache-2.0
// Cancel: one per build, and one per part of it that can be stopped alone. Anyone may ask for the
// stop; workers look at it between steps, or wait for a descriptor that becomes readable. The first
// reason wins. Thread-safe; shared by reference, the owner outlives the users.
#pragma once

#include "snapshotter/base/fd.h"
#include "snapshotter/base/result.h"

#include <atomic>
#include <mutex>
#include <optional>
#include <vector>

namespace mybuild {

class Cancel {
 public:
  Cancel();
  /// One that `whole` stops, too; it can be stopped alone. `whole` outlives it.
  explicit Cancel(Cancel& whole);
  ~Cancel();
  Cancel(const Cancel&) = delete;
  Cancel& operator=(const Cancel&) = delete;

  void request(Error reason);
  bool requested() const { return requested_.load(std::memory_order_acquire); }
  /// The reason as an error, or success.
  Status check() const;
  /// Readable once the stop was asked for; for poll(2).
  int fd() const { return event_.get(); }

 private:
  std::atomic<bool> requested_{false};
  mutable std::mutex mutex_;
  std::optional<Error> reason_;
  std::vector<Cancel*> parts_;
  Cancel* whole_ = nullptr;
  Fd event_;
};

}  // namespace mybuild
