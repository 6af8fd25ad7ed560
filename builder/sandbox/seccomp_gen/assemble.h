// SPDX-License-Identifier: Apache-2.0
// Turns the tables of profile.h into one classic BPF program: per architecture a binary search over
// ranges of system call numbers that share a verdict, so a call costs about eight comparisons.
// Build time only.
#pragma once

#include <linux/filter.h>

#include <vector>

namespace mybuild::sandbox::seccomp_gen {

/// For the architecture of the build and the 32-bit ones it can run.
std::vector<sock_filter> assemble_default_filter();

}  // namespace mybuild::sandbox::seccomp_gen
