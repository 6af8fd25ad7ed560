// SPDX-License-Identifier: Apache-2.0
#include "builder/sandbox/mount_calls.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

// <sys/mount.h> and <linux/mount.h> of glibc 2.36 define the same constants; the prototype is all
// that is needed.
extern "C" int mount(const char* source, const char* target, const char* type, unsigned long flags,
                     const void* data) noexcept;

namespace mybuild::sandbox {

namespace {

Status change_attributes(int mount, const struct mount_attr& attributes, bool recursive,
                         std::string_view what) {
  const int flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
  if (::syscall(SYS_mount_setattr, mount, "", flags, &attributes, sizeof attributes) < 0) {
    return os_error(errno, std::string(what));
  }
  return {};
}

}  // namespace

Status mount_new(const char* type, const std::string& target, unsigned long flags,
                 const std::string& options) {
  if (::mount(type, target.c_str(), type, flags, options.c_str()) < 0) {
    return os_error(errno, fmt::format("mount {} at {}", type, target));
  }
  return {};
}

Status remount_bind(const std::string& target, unsigned long flags) {
  if (::mount(nullptr, target.c_str(), nullptr, MS_REMOUNT | MS_BIND | flags, nullptr) < 0) {
    return os_error(errno, fmt::format("change the mount at {}", target));
  }
  return {};
}

Status bind_over(const std::string& source, const std::string& target) {
  if (::mount(source.c_str(), target.c_str(), nullptr, MS_BIND, nullptr) < 0) {
    return os_error(errno, fmt::format("bind {} to {}", source, target));
  }
  return {};
}

Result<Fd> clone_tree(int dirfd, const std::string& path, bool recursive) {
  const int flags =
      OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
  const long tree = ::syscall(SYS_open_tree, dirfd, path.c_str(), flags);
  if (tree < 0) {
    return os_error(errno, fmt::format("take {}", path.empty() ? "a directory" : path));
  }
  return Fd(static_cast<int>(tree));
}

Status limit_mount(int mount, MountLimits limits, bool recursive) {
  struct mount_attr attributes {};
  attributes.attr_set =
      (limits.read_only ? MOUNT_ATTR_RDONLY : 0U) | (limits.no_devices ? MOUNT_ATTR_NODEV : 0U) |
      (limits.no_suid ? MOUNT_ATTR_NOSUID : 0U) | (limits.no_exec ? MOUNT_ATTR_NOEXEC : 0U);
  if (attributes.attr_set == 0) {
    return {};
  }
  return change_attributes(mount, attributes, recursive, "limit a mount");
}

Status allow_devices(int mount) {
  struct mount_attr attributes {};
  attributes.attr_clr = MOUNT_ATTR_NODEV;
  return change_attributes(mount, attributes, false, "allow a device");
}

Status attach_tree(int tree, const std::string& target) {
  if (::syscall(SYS_move_mount, tree, "", AT_FDCWD, target.c_str(), MOVE_MOUNT_F_EMPTY_PATH) < 0) {
    return os_error(errno, fmt::format("mount at {}", target));
  }
  return {};
}

Status move_tree(int from, const std::string& name, const std::string& target) {
  if (::syscall(SYS_move_mount, from, name.c_str(), AT_FDCWD, target.c_str(), 0) < 0) {
    return os_error(errno, fmt::format("move the mount {} to {}", name, target));
  }
  return {};
}

Result<Fd> stack_tmpfs(const std::string& target, const char* size) {
  const Fd context(static_cast<int>(::syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC)));
  if (!context ||
      ::syscall(SYS_fsconfig, context.get(), FSCONFIG_SET_STRING, "size", size, 0) < 0 ||
      ::syscall(SYS_fsconfig, context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0) {
    return os_error(errno, "make a tmpfs");
  }
  constexpr unsigned kLimits = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  Fd mount(static_cast<int>(::syscall(SYS_fsmount, context.get(), FSMOUNT_CLOEXEC, kLimits)));
  if (!mount) {
    return os_error(errno, "make a mount of a tmpfs");
  }
  TRY(attach_tree(mount.get(), target));
  return mount;
}

}  // namespace mybuild::sandbox
