// SPDX-License-Identifier: Apache-2.0
// What the new process does between clone and exec: build its world, give up its rights, become the
// command. The order is the essay of README.md. Single-threaded, PID 1 of the new namespaces.
#pragma once

#include "builder/sandbox/plan.h"

namespace mybuild::sandbox {

/// Reports over `setup` (control.h) and ends the process if it fails; `setup` closes when the
/// command runs.
[[noreturn]] void run_inside(const SandboxPlan& plan, int setup);
/// The same with the frame (frame.h) of a plan `like` the one to come, made before descriptors and
/// plan arrive over `setup`. Ends when that does without them.
[[noreturn]] void wait_inside(const SandboxPlan& like, int setup);

}  // namespace mybuild::sandbox
