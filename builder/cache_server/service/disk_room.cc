// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/service/disk_room.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <limits>

namespace mybuild::cache_server {

namespace {

constexpr std::uint64_t kFreeShare = 10;
constexpr std::uint64_t kReserveShare = 20;
constexpr std::uint64_t kRecordShare = 10;
constexpr std::uint64_t kLeastForRecords = 256 << 20;

std::uint64_t less(std::uint64_t from, std::uint64_t what) {
  return from - std::min(from, what);
}

}  // namespace

Result<DiskSpace> disk_space(const std::string& directory) {
  struct statvfs info {};
  if (::statvfs(directory.c_str(), &info) < 0) {
    return os_error(errno, "statvfs " + directory);
  }
  return DiskSpace{.total = std::uint64_t{info.f_blocks} * info.f_frsize,
                   .free = std::uint64_t{info.f_bavail} * info.f_frsize};
}

std::uint64_t DiskRoom::limit() const {
  const std::uint64_t wanted = max_size_.value_or(std::numeric_limits<std::uint64_t>::max());
  const Result<DiskSpace> disk = disk_();
  return disk ? std::min(wanted, less(kept_() + disk->free,
                                      disk->total / (max_size_ ? kReserveShare : kFreeShare)))
              : 0;
}

std::uint64_t DiskRoom::record_limit() const {
  return std::max(limit() / kRecordShare, kLeastForRecords);
}

std::uint64_t DiskRoom::left() const {
  const Result<DiskSpace> disk = disk_();
  if (!disk) {
    return 0;
  }
  const std::uint64_t free = less(disk->free, disk->total / kReserveShare);
  return max_size_ ? std::min(free, less(*max_size_, kept_())) : free;
}

}  // namespace mybuild::cache_server
