// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/cancel.h"

#include <sys/eventfd.h>

#include <cstdint>

namespace mybuild {

Cancel::Cancel() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void Cancel::request(Error reason) {
  const std::lock_guard lock(mutex_);
  if (reason_) {
    return;
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
