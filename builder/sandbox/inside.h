// SPDX-License-Identifier: Apache-2.0
// What the new process does between clone and exec: build its world, give up its rights, become the
// command. The order is the essay of README.md. Single-threaded, PID 1 of the new namespaces.
#pragma once

#include "builder/sandbox/plan.h"

namespace mybuild::sandbox {

/// Reports over `setup` (control.h) and ends the process if it fails; `setup` closes when the
/// command runs.
[[noreturn]] void run_inside(const SandboxPlan& plan, int setup);

}  // namespace mybuild::sandbox
