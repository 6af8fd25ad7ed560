// SPDX-License-Identifier: Apache-2.0
// Linux doubles a process's table of descriptors when it is full. In a process with threads it
// waits for an RCU grace period then (expand_fdtable() in fs/file.c): 5 to 15 ms in which no thread
// can open a file, and a walk over a tree opens some hundred directories.
#pragma once

namespace mybuild::cli {

/// Makes the table as large as a build needs it, as a rule; before the first thread.
void enlarge_descriptor_table();

}  // namespace mybuild::cli
