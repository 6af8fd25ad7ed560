// SPDX-License-Identifier: Apache-2.0
// Which boot of the machine this is. What was written in this one cannot have been lost by a power
// cut. Thread-safe.
#pragma once

#include "snapshotter/base/result.h"

#include <string>

namespace mybuild {

/// The kernel's random id of this boot (proc(5), /proc/sys/kernel/random/boot_id); read once.
Result<std::string> boot_id();

}  // namespace mybuild
