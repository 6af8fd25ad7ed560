// SPDX-License-Identifier: Apache-2.0
// What surrounds a root and does not depend on its files: the host name, the loopback, and /proc,
// /dev, /sys and the network files, mounted and masked on a place of their own. So it can be made
// before the root is known, beside the step before; rootfs.cc moves the mounts into the root.
// Single-threaded, inside the new namespaces.
#pragma once

#include "builder/sandbox/plan.h"
#include "snapshotter/base/fd.h"
#include "snapshotter/base/result.h"

#include <string>

namespace mybuild::sandbox {

/// The directory that has the mounts "proc", "dev", "sys" and those network files that the plan has
/// a text for: "hosts", "resolv.conf", "hostname". It goes with the root of the host. Mounts of the
/// host still come and go in this namespace until the root is entered.
Result<Fd> make_frame(const SandboxPlan& plan);
/// That a frame made for `one` serves `other`. Never for a terminal or an insecure plan: their
/// devices are the host's of the moment.
bool same_frame(const SandboxPlan& one, const SandboxPlan& other);

/// docker's masks over what is at these paths now (`null`: the node that hides files, as mounts may
/// have put anything at its path). Relative to the working directory, which is a frame or "/".
Status mask_kernel_files(const Fd& null);

}  // namespace mybuild::sandbox
