// SPDX-License-Identifier: Apache-2.0
// A small init: PID 1 that starts the command, passes signals on and reaps orphans.
// Single-threaded, inside the sandbox.
#pragma once

#include "builder/sandbox/exec.h"

#include <functional>

namespace mybuild::sandbox {

/// Forks; the child runs `start`, which does not return. The parent closes descriptor `setup`,
/// lives as long as the child and ends with its exit code, or 128 + the signal that ended it.
[[noreturn]] void run_init(const std::function<void()>& start, int setup);

}  // namespace mybuild::sandbox
