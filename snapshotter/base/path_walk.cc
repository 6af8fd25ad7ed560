// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/path_walk.h"

#include "snapshotter/base/sys.h"

#include <linux/openat2.h>

#include <cerrno>
#include <deque>
#include <string>
#include <vector>

namespace mybuild {

namespace {

constexpr int kMaxLinks = 40;  // the kernel's limit
constexpr int kStep = O_PATH | O_DIRECTORY | O_NOFOLLOW;

class Walk {
 public:
  Walk(Fd root, dev_t device, std::uint64_t resolve)
      : root_(std::move(root)), device_(device), resolve_(resolve) {}

  Result<Fd> open(std::string_view path, int flags, mode_t mode) {
    TRY(look_at(path));
    const bool makes_new = (flags & O_CREAT) != 0 && (flags & O_EXCL) != 0;
    const bool follows = (flags & O_NOFOLLOW) == 0 && !makes_new;
    for (;;) {
      const std::string name = next();
      if (!ahead_.empty()) {
        TRY(step(name));
        continue;
      }
      const bool was_link = TRY(follows ? follow_if_link(name) : false);
      if (was_link) {
        continue;
      }
      if (name == "..") {
        TRY(go_up());
        return open_last(".", flags, mode);
      }
      return open_last(name, flags, mode);
    }
  }

 private:
  int here() const { return here_.valid() ? here_.get() : root_.get(); }

  std::string next() {
    std::string name = std::move(ahead_.front());
    ahead_.pop_front();
    return name;
  }

  /// Puts the names of `path` before those that are still to go.
  Status look_at(std::string_view path) {
    if (path.empty()) {
      return os_error(ENOENT, "an empty path");
    }
    if (path.starts_with('/')) {
      TRY(go_to_root());
    }
    std::deque<std::string> names;
    for (std::size_t at = 0; at <= path.size();) {
      const std::size_t end = std::min(path.find('/', at), path.size());
      if (end > at) {
        names.emplace_back(path.substr(at, end - at));
      }
      at = end + 1;
    }
    if (path.ends_with('/')) {
      names.emplace_back(".");  // it must be a directory
    }
    ahead_.insert(ahead_.begin(), names.begin(), names.end());
    return {};
  }

  Status go_to_root() {
    if ((resolve_ & RESOLVE_IN_ROOT) == 0) {
      return os_error(EXDEV, "an absolute path");
    }
    way_.clear();
    here_ = Fd();
    return {};
  }

  Status step(const std::string& name) {
    if (name == "..") {
      return go_up();
    }
    return name == "." ? Status() : go_down(name);
  }

  /// By the names that led here, not by the directory's own "..": somebody may be moving it.
  Status go_up() {
    if (way_.empty()) {
      return (resolve_ & RESOLVE_IN_ROOT) != 0 ? Status() : os_error(EXDEV, "..");
    }
    way_.pop_back();
    here_ = Fd();
    for (const std::string& name : way_) {
      here_ = TRY(sys::open_at(here(), name, kStep));
    }
    return {};
  }

  Status go_down(const std::string& name) {
    Result<Fd> directory = sys::open_at(here(), name, kStep);
    if (directory) {
      TRY(check_device(directory->get()));
      here_ = std::move(directory).value();
      way_.push_back(name);
      return {};
    }
    const bool may_be_link = directory.error().os_errno() == ENOTDIR;
    const bool was_link = TRY(may_be_link ? follow_if_link(name) : false);
    return was_link ? Status() : std::move(directory).error();
  }

  Result<bool> follow_if_link(const std::string& name) {
    const Result<std::string> target = sys::readlink_at(here(), name);
    if (!target) {
      return false;
    }
    TRY(follow(*target));
    return true;
  }

  Status follow(const std::string& target) {
    if ((resolve_ & RESOLVE_NO_SYMLINKS) != 0 || ++links_ > kMaxLinks) {
      return os_error(ELOOP, target);
    }
    return look_at(target);
  }

  Result<Fd> open_last(const std::string& name, int flags, mode_t mode) {
    Fd found = TRY(sys::open_at(here(), name, flags | O_NOFOLLOW, mode));
    TRY(check_device(found.get()));
    return found;
  }

  Status check_device(int fd) const {
    if ((resolve_ & RESOLVE_NO_XDEV) != 0) {
      const struct stat info = TRY(sys::fstat(fd));
      if (info.st_dev != device_) {
        return os_error(EXDEV, "another file system");
      }
    }
    return {};
  }

  Fd root_;
  dev_t device_;
  std::uint64_t resolve_;
  Fd here_;                        // none: at the root
  std::vector<std::string> way_;   // directories from the root to here
  std::deque<std::string> ahead_;  // names still to go, one at least
  int links_ = 0;
};

Result<Fd> walk(int dirfd, std::string_view path, int flags, std::uint64_t resolve, mode_t mode) {
  Fd root = TRY(sys::open_at(dirfd, ".", O_PATH | O_DIRECTORY));
  const struct stat info = TRY(sys::fstat(root.get()));
  return Walk(std::move(root), info.st_dev, resolve).open(path, flags, mode);
}

}  // namespace

Result<Fd> walk_and_open(int dirfd, std::string_view path, int flags, std::uint64_t resolve,
                         mode_t mode) {
  Result<Fd> found = walk(dirfd, path, flags, resolve, mode);
  if (!found && found.error().os_errno() != 0) {  // which name it was matters less than the whole
    return os_error(found.error().os_errno(), fmt::format("open {}", path));
  }
  return found;
}

}  // namespace mybuild
