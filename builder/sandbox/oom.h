// SPDX-License-Identifier: Apache-2.0
// Whether the kernel ran out of memory: its counter of killed processes, before and after.
// Thread-safe.
#pragma once

#include <cstdint>

namespace mybuild::sandbox {

/// Processes the kernel has killed for lack of memory since it started, in all cgroups; 0 if it
/// does not say.
std::uint64_t count_oom_kills();

}  // namespace mybuild::sandbox
