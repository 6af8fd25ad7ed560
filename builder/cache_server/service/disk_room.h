// SPDX-License-Identifier: Apache-2.0
// DiskRoom: how much the server may keep: a size that was asked for, else what leaves a tenth of
// the disk free; with a size a twentieth, so that a disk that others fill does not empty a small
// cache. Thread-safe.
#pragma once

#include "snapshotter/base/result.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace mybuild::cache_server {

/// Of a file system, in bytes.
struct DiskSpace {
  std::uint64_t total = 0;
  std::uint64_t free = 0;  // for this user
};
Result<DiskSpace> disk_space(const std::string& directory);

class DiskRoom {
 public:
  using Ask = std::function<Result<DiskSpace>()>;
  /// `kept`: bytes of blobs that the server keeps now.
  DiskRoom(std::optional<std::uint64_t> max_size, Ask disk, std::function<std::uint64_t()> kept)
      : max_size_(max_size), disk_(std::move(disk)), kept_(std::move(kept)) {}

  /// Bytes that blobs may have in all.
  std::uint64_t limit() const;
  /// Bytes that records may have beside them: a tenth of that, or 256 MiB.
  std::uint64_t record_limit() const;
  /// Bytes that may come still; 0 when the disk cannot be asked. The last twentieth of the disk is
  /// for the database and for others.
  std::uint64_t left() const;

 private:
  const std::optional<std::uint64_t> max_size_;
  const Ask disk_;
  const std::function<std::uint64_t()> kept_;
};

}  // namespace mybuild::cache_server
