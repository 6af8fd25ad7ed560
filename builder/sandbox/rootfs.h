// SPDX-License-Identifier: Apache-2.0
// The step's file tree. Order matters, and every step relies on the ones before:
//   1. the sources of all mounts are opened or cloned, as their paths are the host's;
//   2. the root is mounted and becomes "/" (from here on no path can leave it, whatever links the
//   image has);
//   3. /proc, /dev, /sys, /etc/hosts, /etc/resolv.conf come from the frame (frame.h), masked;
//   4. the plan's mounts in order; 5. masks again if there were any; 6. the old root goes, and with
//   it every way back.
// Single-threaded, inside the new mount namespace.
#pragma once

#include "builder/sandbox/plan.h"
#include "builder/sandbox/stubs.h"
#include "snapshotter/base/result.h"

namespace mybuild::sandbox {

/// Does all of the above; returns what was made in the root's own files, also if it fails half-way.
/// `frame`: made for this plan or one with the same frame, in this namespace; it is emptied.
Status enter_root(const SandboxPlan& plan, int frame, StubRecord& stubs);
/// The last change to the root: nothing below its own mount can be written from here on.
Status make_root_read_only();

}  // namespace mybuild::sandbox
