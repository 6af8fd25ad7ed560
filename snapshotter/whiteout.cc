// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/whiteout.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/tree_entry.h"

#include <dirent.h>
#include <linux/magic.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include <array>
#include <cerrno>

namespace mybuild::snapshotter {

namespace {

constexpr std::array<std::string_view, 2> kNamespaces = {"trusted.overlay.", "user.overlay."};
constexpr std::string_view kOpaqueName = "trusted.overlay.opaque";
/// No object of a layer, and nothing that a whiteout hides, can have this name.
constexpr std::string_view kOpaqueObject = ".wh..wh..opq";

bool is_portable_mark(const struct stat& info) {
  return S_ISSOCK(info.st_mode) && (info.st_mode & 07777U) == 0;
}

/// The file system or a missing right is the reason, not the object.
bool is_refused(const Status& status) {
  const int code = status ? 0 : status.error().os_errno();
  return code == EPERM || code == EOPNOTSUPP || code == EINVAL;
}

Status make_overlay_whiteout(int dirfd, const std::string& name) {
  return sys::mknod_at(dirfd, name, S_IFCHR, makedev(0, 0));
}

Status set_overlay_opaque(int dir_fd) {
  struct statfs info {};
  if (::fstatfs(dir_fd, &info) == 0 && info.f_type == OVERLAYFS_SUPER_MAGIC) {
    // Newer kernels would take it, but under another name on the file system below.
    return os_error(EOPNOTSUPP, "set an overlay attribute on an overlayfs");
  }
  return sys::set_xattr(dir_fd, std::string(kOpaqueName), kOpaqueValue);
}

}  // namespace

bool is_whiteout(const struct stat& info) {
  return (S_ISCHR(info.st_mode) && info.st_rdev == 0) || is_portable_mark(info);
}

Status make_whiteout(int dirfd, const std::string& name) {
  Status made = make_overlay_whiteout(dirfd, name);
  if (!is_refused(made)) {
    return made;
  }
  if (name == kOpaqueObject) {
    return invalid_argument("{}: this name cannot be deleted in a layer", name);
  }
  return sys::mknod_at(dirfd, name, S_IFSOCK, 0);
}

bool is_overlay_xattr(std::string_view name) {
  return name.starts_with(kNamespaces[0]) || name.starts_with(kNamespaces[1]);
}

bool is_opaque_xattr(std::string_view name) {
  return name == kOpaqueName;
}

bool is_opaque_object(std::string_view name, const struct stat& info) {
  return name == kOpaqueObject && is_portable_mark(info);
}

Result<bool> has_opaque_object(int dirfd, const std::string& directory) {
  const Result<struct stat> info =
      sys::lstat_at(dirfd, join_path(directory, std::string(kOpaqueObject)));
  if (!info && info.error().os_errno() != ENOENT) {
    return info.error();
  }
  return info && is_portable_mark(*info);
}

Result<bool> is_opaque(int dir_fd) {
  if (TRY(sys::get_xattr(dir_fd, std::string(kOpaqueName))) == kOpaqueValue) {
    return true;
  }
  return has_opaque_object(dir_fd, {});
}

Status set_opaque(int dir_fd) {
  Status set = set_overlay_opaque(dir_fd);
  if (!is_refused(set) || TRY(has_opaque_object(dir_fd, {}))) {
    return is_refused(set) ? Status() : set;
  }
  return sys::mknod_at(dir_fd, std::string(kOpaqueObject), S_IFSOCK, 0);
}

Result<bool> holds_overlay_marks(const std::string& directory) {
  const TempDir trial = TRY(TempDir::create(directory));
  const Fd dir = TRY(sys::open(trial.path(), O_RDONLY | O_DIRECTORY));
  for (const Status& made :
       {make_overlay_whiteout(dir.get(), "w"), set_overlay_opaque(dir.get())}) {
    if (!made && !is_refused(made)) {
      return made.error();
    }
    if (!made) {
      return false;
    }
  }
  return true;
}

Result<bool> has_portable_marks(int dir_fd) {
  for (const DirItem& item : TRY(read_dir(dir_fd))) {
    const bool unsure = item.type == DT_UNKNOWN;
    if (unsure || item.type == DT_SOCK) {
      if (is_portable_mark(TRY(sys::lstat_at(dir_fd, item.name)))) {
        return true;
      }
    }
    if (!unsure && item.type != DT_DIR) {
      continue;
    }
    const Result<Fd> child =
        sys::open_at(dir_fd, item.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK);
    if (!child && !(unsure && child.error().os_errno() == ENOTDIR)) {
      return child.error();
    }
    if (child && TRY(has_portable_marks(child->get()))) {
      return true;
    }
  }
  return false;
}

}  // namespace mybuild::snapshotter
