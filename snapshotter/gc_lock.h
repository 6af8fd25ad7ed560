// SPDX-License-Identifier: Apache-2.0
// GcLock: keeps what makes a root (an image, a container) and what collects apart. A root is made
// of things that are leased (base/leases.h); when the leases end, the root must be there to be
// seen. So who makes one holds the lock, shared, from before his leases end until the root is
// recorded, and a collector holds it alone from its look at the roots until it has removed what no
// root needs. Move-only; released with the object or the process.
#pragma once

#include "snapshotter/base/file.h"

#include <optional>
#include <string>

namespace mybuild::snapshotter {

class GcLock {
 public:
  /// Waits for a collector, which takes a moment.
  static Result<GcLock> for_root(const std::string& state_directory);
  /// nullopt while another collector is at work. Waits for those who make roots.
  static Result<std::optional<GcLock>> for_collector(const std::string& state_directory);

 private:
  explicit GcLock(FileLock lock) : lock_(std::move(lock)) {}
  FileLock lock_;
  std::optional<FileLock> collector_;
};

}  // namespace mybuild::snapshotter
