// SPDX-License-Identifier: Apache-2.0
// The helper: a process of its own with one thread, which may therefore clone, mount and wait as it
// likes. It makes the process inside, passes signals on, kills it when the builder says so or is
// gone, cleans up and reports.
#pragma once

namespace mybuild::sandbox {

/// Waits for descriptors on kControlFd (control.h): stdin, stdout, stderr, the files of the plan's
/// mounts, last the plan; runs it, and reports there; then waits for the next ones. Returns the
/// process's exit code: 0 when no more came, as the builder is gone or needs this helper no longer.
int helper_main();

}  // namespace mybuild::sandbox
