// SPDX-License-Identifier: Apache-2.0
// The helper: a process of its own with one thread, which may therefore clone, mount and wait as it
// likes. It makes the process inside, passes signals on, kills it when the builder says so or is
// gone, cleans up and reports.
#pragma once

namespace mybuild::sandbox {

/// Runs the plan in descriptor `plan_fd`, talking to the builder over `control` (control.h).
/// Descriptors 3 … plan_fd - 1 are the files of the plan's mounts. Returns the process's exit code.
int helper_main(int plan_fd, int control);

}  // namespace mybuild::sandbox
