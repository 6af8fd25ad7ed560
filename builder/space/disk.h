// SPDX-License-Identifier: Apache-2.0
// How full the disk is that a directory lies on. Thread-safe.
#pragma once

#include "builder/space/policy.h"

#include <string>

namespace mybuild::space {

/// As an unprivileged user would find it: what the file system keeps for root is not free.
Result<DiskFacts> disk_facts(const std::string& directory);

}  // namespace mybuild::space
