// SPDX-License-Identifier: Apache-2.0
#include "builder/caches/slots.h"

#include "snapshotter/base/sys.h"

#include <algorithm>

namespace mybuild::caches {

namespace {

constexpr std::string_view kLock = ".lock";

/// A step may be about to make the first one.
constexpr std::string_view kFirst = "0";

}  // namespace

bool is_slot(std::string_view name) {
  return !name.empty() && name.size() < 10 &&
         name.find_first_not_of("0123456789") == std::string_view::npos;
}

Result<std::vector<std::string>> slots_of(const std::string& cache_dir) {
  const Fd dir = TRY(sys::open(cache_dir, O_RDONLY | O_DIRECTORY));
  std::vector<std::string> slots = TRY(sys::list_dir(dir.get()));
  std::erase_if(slots, [](const std::string& name) { return !is_slot(name); });
  std::sort(slots.begin(), slots.end(), [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  });
  return slots;
}

std::string slot_lock_path(const std::string& cache_dir, std::string_view slot) {
  return join_path(cache_dir, fmt::format("{}{}", slot, kLock));
}

Result<FileLock> lock_gate(const std::string& cache_dir) {
  return FileLock::acquire(join_path(cache_dir, ".gate"), FileLock::Mode::Exclusive);
}

Result<std::vector<FileLock>> try_lock_all(const std::string& cache_dir) {
  const Fd dir = TRY(sys::open(cache_dir, O_RDONLY | O_DIRECTORY));
  std::vector<std::string> names = TRY(sys::list_dir(dir.get()));
  names.push_back(std::string(kFirst) + std::string(kLock));
  std::vector<FileLock> locks;
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  for (const std::string& name : names) {
    if (!name.ends_with(kLock) || !is_slot(name.substr(0, name.size() - kLock.size()))) {
      continue;
    }
    std::optional<FileLock> lock =
        TRY(FileLock::try_acquire(join_path(cache_dir, name), FileLock::Mode::Exclusive));
    if (!lock) {
      return std::vector<FileLock>();
    }
    locks.push_back(std::move(*lock));
  }
  return locks;
}

}  // namespace mybuild::caches
