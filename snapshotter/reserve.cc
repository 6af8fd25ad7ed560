// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/reserve.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

#include <fcntl.h>

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

OpenReserve::OpenReserve(std::string state_directory)
    : state_directory_(std::move(state_directory)) {
  (void)sys::unlink_at(AT_FDCWD, join_path(state_directory_, kName));
}

OpenReserve::~OpenReserve() {
  keep_reserve(state_directory_);
}

}  // namespace mybuild::snapshotter
