// SPDX-License-Identifier: Apache-2.0
#include "builder/run/id_file.h"

#include "snapshotter/base/sys.h"

#include <cerrno>

namespace mybuild::run {

Result<IdFile> IdFile::reserve(const std::string& path) {
  if (path.empty()) {
    return IdFile({}, {});
  }
  Result<Fd> fd = sys::open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
  if (!fd && fd.error().os_errno() == EEXIST) {
    return make_error(ErrorKind::AlreadyExists, "the container ID file {} exists", path)
        .with_hint("make sure that the other container is not needed, then delete the file");
  }
  if (!fd) {
    return std::move(fd).context("container ID file").error();
  }
  return IdFile(path, std::move(fd).value());
}

IdFile::IdFile(IdFile&& other) noexcept
    : path_(std::exchange(other.path_, {})), fd_(std::move(other.fd_)) {}

IdFile::~IdFile() {
  if (!path_.empty()) {
    (void)sys::unlink_at(AT_FDCWD, path_);
  }
}

Status IdFile::write(const std::string& id) && {
  if (fd_) {
    TRY(sys::write_all(fd_.get(), as_bytes(id)).context("container ID file"));
  }
  path_.clear();
  return {};
}

}  // namespace mybuild::run
