// SPDX-License-Identifier: Apache-2.0
// /dev of a step: a small tmpfs with the nodes, links and mounts that programs expect. The tmpfs
// itself opens no device nodes (nodev), so that what a step makes there is dead; each of the nodes
// meant for it is a mount of its own, of that one file, which does. Single-threaded, helper side.
#pragma once

#include "builder/sandbox/plan.h"
#include "snapshotter/base/fd.h"
#include "snapshotter/base/result.h"

#include <string>

namespace mybuild::sandbox {

/// Where device nodes come from when mknod is forbidden, and what the console is.
struct HostDevices {
  int root = -1;  // the host's "/"
  Fd console;     // a detached mount of the terminal on stdin; none when the plan has no terminal
};

/// Before the root changes: finds the terminal.
HostDevices open_host_devices(const SandboxPlan& plan);
/// Mounts at the resolved path `dev`; returns its directory.
Result<Fd> make_dev(const SandboxPlan& plan, const std::string& dev, const HostDevices& host);
/// Streams on the host's /dev/null go to `null`, the step's: through its streams, root could change
/// the mode of the host's node.
Status use_own_null(const Fd& null);

}  // namespace mybuild::sandbox
