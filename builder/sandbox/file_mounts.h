// SPDX-License-Identifier: Apache-2.0
// Mounts of a single file that we make: text, a socket, a device node. Each is made on the step's
// /dev tmpfs, which saves a tmpfs of its own, and is nameless once mounted. Single-threaded, helper
// side, after the root was changed.
#pragma once

#include "builder/sandbox/plan.h"
#include "snapshotter/base/fd.h"
#include "snapshotter/base/result.h"

#include <string>

namespace mybuild::sandbox {

/// All bytes of a memory file, wherever its position is.
Result<std::string> read_memory_file(int fd);

/// `dev`: the directory of the tmpfs; `target`: resolved, exists.
Status mount_memory_file(const Fd& dev, const std::string& target, const PlanMount& file,
                         bool read_only);
Status mount_socket(const Fd& dev, const std::string& target, const PlanMount& socket);
/// `old_root`: where the host's node is, for kernels and namespaces that forbid mknod.
Status mount_device(const Fd& dev, const Fd& old_root, const std::string& target,
                    const PlanMount& node);

}  // namespace mybuild::sandbox
