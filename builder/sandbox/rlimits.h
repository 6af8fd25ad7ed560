// SPDX-License-Identifier: Apache-2.0
// Resource limits by docker's names ("nofile", "nproc", …). Single-threaded, helper side.
#pragma once

#include "builder/sandbox/plan.h"
#include "snapshotter/base/result.h"

#include <vector>

namespace mybuild::sandbox {

/// Raising a hard limit needs CAP_SYS_RESOURCE.
Status apply_rlimits(const std::vector<Rlimit>& rlimits);

}  // namespace mybuild::sandbox
