// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/gc_lock.h"

namespace mybuild::snapshotter {

Result<GcLock> GcLock::for_root(const std::string& state_directory) {
  FileLock lock =
      TRY(FileLock::acquire(join_path(state_directory, "gc.lock"), FileLock::Mode::Shared));
  return GcLock(std::move(lock));
}

Result<std::optional<GcLock>> GcLock::for_collector(const std::string& state_directory) {
  std::optional<FileLock> alone = TRY(
      FileLock::try_acquire(join_path(state_directory, "gc.collector"), FileLock::Mode::Exclusive));
  if (!alone) {
    return std::optional<GcLock>();
  }
  FileLock lock =
      TRY(FileLock::acquire(join_path(state_directory, "gc.lock"), FileLock::Mode::Exclusive));
  GcLock collector(std::move(lock));
  collector.collector_ = std::move(alone);
  return std::optional<GcLock>(std::move(collector));
}

}  // namespace mybuild::snapshotter
