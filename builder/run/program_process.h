// SPDX-License-Identifier: Apache-2.0
// Which process a container's program is, for people who want to look at it (nsenter, gdb). Nothing
// is decided by it: what is said may have changed when it is read. Thread-safe.
#pragma once

#include <sys/types.h>

#include <string>

namespace mybuild::run {

/// PID 1 of the container whose run lock is `lock_path`, as a number of our own PID namespace; 0
/// when nobody holds the lock, or /proc does not show it.
pid_t find_program(const std::string& lock_path);

}  // namespace mybuild::run
