// SPDX-License-Identifier: Apache-2.0
// The mount system calls as Results. Detached mounts ("trees") are descriptors of mounts that hang
// nowhere yet; closing the last one undoes them. Single-threaded, in a private mount namespace.
#pragma once

#include "snapshotter/base/fd.h"
#include "snapshotter/base/result.h"

#include <cstdint>
#include <string>

namespace mybuild::sandbox {

/// mount(2) of a new file system.
Status mount_new(const char* type, const std::string& target, unsigned long flags,
                 const std::string& options = {});
/// Changes the flags of the mount at `target`, not of its file system.
Status remount_bind(const std::string& target, unsigned long flags);
Status bind_over(const std::string& source, const std::string& target);

/// A detached copy of the mount at `path` (relative to `dirfd`; "" for dirfd itself).
Result<Fd> clone_tree(int dirfd, const std::string& path, bool recursive);
/// What a mount forbids from now on; what it forbids already stays.
struct MountLimits {
  bool read_only = false;
  bool no_devices = false;  // device nodes in it cannot be opened
  bool no_suid = false;
  bool no_exec = false;
};
/// `mount` is the root of a mount, detached or not; with `recursive` also those below.
Status limit_mount(int mount, MountLimits limits, bool recursive);
/// Takes `no_devices` back.
Status allow_devices(int mount);
Status attach_tree(int tree, const std::string& target);
/// Moves the mount at `name` in the directory `from`, with the mounts on it, to `target`.
Status move_tree(int from, const std::string& name, const std::string& target);
/// A new tmpfs of at most `size` ("64m") over the mount at `target`; over "/" no path leads to it,
/// only the descriptor.
Result<Fd> stack_tmpfs(const std::string& target, const char* size);

}  // namespace mybuild::sandbox
