// SPDX-License-Identifier: Apache-2.0
// Crash tests without hooks in the code: runs `body` in a child process that is killed (SIGKILL)
// when it has entered its n-th system call. Calling it with n = 0, 1, 2 … until it answers Finished
// kills at every step there is.
#pragma once

#include <cstddef>
#include <functional>

namespace mybuild {

enum class KillOutcome { Killed, Finished, Impossible };  // Impossible: no ptrace(2) here

/// `body` runs after fork(2) in a single-threaded child and must not use threads.
KillOutcome run_and_kill_at_syscall(std::size_t n, const std::function<void()>& body);

}  // namespace mybuild
