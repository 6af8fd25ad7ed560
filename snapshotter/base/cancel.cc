// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/cancel.h"

#include <sys/eventfd.h>

#include <cstdint>

namespace mybuild {

Cancel::Cancel() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Cancel::Cancel(Cancel& whole) : Cancel() {
  whole_ = &whole;
  const std::lock_guard lock(whole.mutex_);
  whole.parts_.push_back(this);
  if (whole.reason_) {
    request(*whole.reason_);
  }
}

Cancel::~Cancel() {
  if (whole_ != nullptr) {
    const std::lock_guard lock(whole_->mutex_);
    std::erase(whole_->parts_, this);
  }
}

/// Locks are taken from the whole to its parts, never the other way.
void Cancel::request(Error reason) {
  const std::lock_guard lock(mutex_);
  if (reason_) {
    return;
  }
  for (Cancel* part : parts_) {
    part->request(reason);
  }
  reason_ = std::move(reason);
  requested_.store(true, std::memory_order_release);
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(event_.get(), &one, sizeof one);
}

Status Cancel::check() const {
  if (!requested()) {
    return {};
  }
  const std::lock_guard lock(mutex_);
  return *reason_;
}

}  // namespace mybuild
