// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/range_lock.h"

#include "snapshotter/base/digest.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/lock_wait.h"
#include "snapshotter/base/sys.h"

#include <fcntl.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <functional>

namespace mybuild {

namespace {

short type_of(RangeLocks::Mode mode) {
  return mode == RangeLocks::Mode::Shared ? F_RDLCK : F_WRLCK;
}

}  // namespace

/// A byte of a file. Processes of all versions must agree on it, so it is no std::hash.
struct RangeLocks::Place {
  int fd = -1;
  off_t offset = 0;

  /// 0 or the errno of fcntl.
  int set(int command, short type) const {
    if (fd < 0) {
      return type == F_WRLCK ? EROFS : 0;
    }
    struct flock range {};
    range.l_type = type;
    range.l_whence = SEEK_SET;
    range.l_start = offset;
    range.l_len = 1;
    if (::fcntl(fd, command, &range) == 0) {
      return 0;
    }
    return errno == EBADF ? EROFS : errno;  // of a file that could be opened for reading only
  }
};

namespace {

/// On a file system that cannot be written to nobody can take anything away, so there a shared lock
/// is as good as held: on the file if it is there, on nothing if not.
Result<Fd> open_file(const std::string& path) {
  Result<Fd> fd = sys::open(path, O_RDWR | O_CREAT, 0600);
  if (fd || fd.error().os_errno() != EROFS) {
    return fd;
  }
  Result<Fd> readable = sys::open(path, O_RDONLY);
  return readable ? std::move(readable) : Result<Fd>(Fd());
}

}  // namespace

Result<RangeLocks::Place> RangeLocks::place_of(std::string_view name) {
  const Digest digest = Digest::of(name);
  std::uint64_t bits = 0;
  std::memcpy(&bits, digest.bytes.data(), sizeof bits);
  const std::size_t file = bits % files_.size();
  if (!files_[file]) {
    files_[file] = TRY(open_file(join_path(directory_, fmt::format("{:x}", file))));
  }
  return Place{files_[file].get(), static_cast<off_t>(bits >> 6)};
}

Result<RangeLocks> RangeLocks::open(const std::string& directory) {
  if (const Status made = make_dirs(directory, 0700); !made && made.error().os_errno() != EROFS) {
    return made.error();
  }
  return RangeLocks(directory);
}

Result<bool> RangeLocks::try_lock(std::string_view name, Mode mode) {
  const int error = TRY(place_of(name))
  .set(F_OFD_SETLK, type_of(mode));
  if (error == EAGAIN || error == EACCES) {
    return false;
  }
  if (error != 0) {
    return os_error(error, "lock in " + directory_);
  }
  return true;
}

Status RangeLocks::lock(std::string_view name, Mode mode) {
  const Place place = TRY(place_of(name));
  int error = EINTR;
  while (error == EINTR) {
    error = place.set(F_OFD_SETLKW, type_of(mode));
  }
  return error == 0 ? Status() : Status(os_error(error, "lock in " + directory_));
}

Status RangeLocks::lock(std::string_view name, Mode mode, const Cancel& cancel) {
  if (TRY(try_lock(name, mode))) {
    return {};
  }
  const Place place = TRY(place_of(name));
  const std::function<int()> take = [&] { return place.set(F_OFD_SETLKW, type_of(mode)); };
  return wait_for_lock("in " + directory_, take, cancel);
}

Status RangeLocks::unlock(std::string_view name) {
  const int error = TRY(place_of(name))
  .set(F_OFD_SETLK, F_UNLCK);
  return error == 0 ? Status() : Status(os_error(error, "unlock in " + directory_));
}

}  // namespace mybuild
