// SPDX-License-Identifier: Apache-2.0
// Byte comparison of two open files, from their current offsets. Thread-safe.
#pragma once

#include "snapshotter/base/result.h"

namespace mybuild::snapshotter {

Result<bool> same_contents(int a, int b);

}  // namespace mybuild::snapshotter
