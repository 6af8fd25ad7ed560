// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/reserve.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

#include <fcntl.h>
#include <sys/statvfs.h>

#include <cerrno>

namespace mybuild::snapshotter {

namespace {

/// What removing some rows takes in SQLite's log, with room to spare.
constexpr off_t kBytes = 512 << 10;
constexpr std::string_view kName = "reserve";

}  // namespace

void keep_reserve(const std::string& state_directory) {
  const std::string path = join_path(state_directory, kName);
  if (sys::exists_at(AT_FDCWD, path)) {
    return;
  }
  const Result<Fd> file = sys::open(path, O_WRONLY | O_CREAT, 0600);
  if (file && ::posix_fallocate(file->get(), 0, kBytes) != 0) {
    (void)sys::unlink_at(AT_FDCWD, path);
  }
}

Result<bool> is_disk_full(const std::string& directory) {
  constexpr std::uint64_t kLittle = 16 << 20;
  struct statvfs info {};
  if (::statvfs(directory.c_str(), &info) < 0) {
    return os_error(errno, "statvfs " + directory);
  }
  return std::uint64_t{info.f_bavail} * info.f_frsize < kLittle;
}

OpenReserve::OpenReserve(std::string state_directory)
    : state_directory_(std::move(state_directory)) {
  (void)sys::unlink_at(AT_FDCWD, join_path(state_directory_, kName));
}

OpenReserve::~OpenReserve() {
  keep_reserve(state_directory_);
}

}  // namespace mybuild::snapshotter
