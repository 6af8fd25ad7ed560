// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/whiteout.h"

#include "snapshotter/base/sys.h"

#include <sys/sysmacros.h>

#include <array>
#include <cerrno>

namespace mybuild::snapshotter {

namespace {

constexpr std::array<std::string_view, 2> kNamespaces = {"trusted.overlay.", "user.overlay."};
constexpr std::array<std::string_view, 2> kOpaqueNames = {"trusted.overlay.opaque",
                                                          "user.overlay.opaque"};

}  // namespace

bool is_whiteout(const struct stat& info) {
  return S_ISCHR(info.st_mode) && info.st_rdev == 0;
}

Status make_whiteout(int dirfd, const std::string& name) {
  return sys::mknod_at(dirfd, name, S_IFCHR, makedev(0, 0));
}

bool is_overlay_xattr(std::string_view name) {
  return name.starts_with(kNamespaces[0]) || name.starts_with(kNamespaces[1]);
}

bool is_opaque_xattr(std::string_view name) {
  return name == kOpaqueNames[0] || name == kOpaqueNames[1];
}

Result<bool> is_opaque(int dir_fd) {
  for (const std::string& name : TRY(sys::list_xattrs(dir_fd))) {
    if (is_opaque_xattr(name) && TRY(sys::get_xattr(dir_fd, name)) == kOpaqueValue) {
      return true;
    }
  }
  return false;
}

Status set_opaque(int dir_fd) {
  Status set = sys::set_xattr(dir_fd, std::string(kOpaqueNames[0]), kOpaqueValue);
  if (set || set.error().os_errno() != EPERM) {
    return set;
  }
  return sys::set_xattr(dir_fd, std::string(kOpaqueNames[1]), kOpaqueValue);
}

}  // namespace mybuild::snapshotter
