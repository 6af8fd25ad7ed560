// SPDX-License-Identifier: Apache-2.0
#include "builder/run/disk_usage.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

#include <linux/openat2.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <utility>
#include <vector>

namespace mybuild::run {

namespace {

/// Adds up a tree directory by directory: neither the depth of a hostile tree nor its width is
/// limited by our stack or our descriptors.
class TreeCounter {
 public:
  explicit TreeCounter(Fd root) : root_(std::move(root)) {}

  Result<std::uint64_t> count() {
    pending_.emplace_back();
    while (!pending_.empty()) {
      const std::string path = std::move(pending_.back());
      pending_.pop_back();
      const Status added = add_directory(path);
      if (!added && !vanished(added.error())) {
        return added.error();
      }
    }
    return bytes_;
  }

  static bool vanished(const Error& error) {
    const int code = error.os_errno();
    return code == ENOENT || code == ENOTDIR || code == ELOOP || code == EXDEV;
  }

 private:
  Status add_directory(const std::string& path) {
    const Fd dir = TRY(open_directory(path));
    for (const std::string& name : TRY(sys::list_dir(dir.get()))) {
      const Result<struct stat> info = sys::lstat_at(dir.get(), name);
      if (!info) {
        if (vanished(info.error())) {
          continue;
        }
        return info.error();
      }
      if (S_ISDIR(info->st_mode)) {
        pending_.push_back(join_path(path, name));
      } else if (info->st_nlink < 2 || seen_.emplace(info->st_dev, info->st_ino).second) {
        bytes_ += static_cast<std::uint64_t>(info->st_size);
      }
    }
    return {};
  }

  /// In pieces: a path may be longer than a call takes.
  Result<Fd> open_directory(std::string_view path) const {
    constexpr std::size_t kPiece = 2048;
    constexpr std::uint64_t kResolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
    Fd dir = TRY(sys::open_at(root_.get(), ".", O_RDONLY | O_DIRECTORY));
    while (!path.empty()) {
      std::size_t end = path.size();
      if (end > kPiece) {
        const std::size_t slash = path.rfind('/', kPiece);
        end = slash == std::string_view::npos ? path.find('/') : slash;
      }
      const std::string piece(path.substr(0, end));
      path.remove_prefix(std::min(piece.size() + 1, path.size()));
      Fd next = TRY(sys::open_at2(dir.get(), piece, O_RDONLY | O_DIRECTORY, kResolve));
      dir = std::move(next);
    }
    return dir;
  }

  const Fd root_;
  std::vector<std::string> pending_;  // directories, relative to the root
  std::set<std::pair<dev_t, ino_t>> seen_;
  std::uint64_t bytes_ = 0;
};

}  // namespace

Result<std::uint64_t> tree_bytes(const std::string& path) {
  Result<Fd> root = sys::open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!root) {
    return TreeCounter::vanished(root.error()) ? Result<std::uint64_t>(0) : root.error();
  }
  return TreeCounter(std::move(root).value()).count();
}

}  // namespace mybuild::run
