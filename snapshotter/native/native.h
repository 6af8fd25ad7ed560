// SPDX-License-Identifier: Apache-2.0
// The copying driver, for where overlayfs cannot be mounted: a root is a full copy of the merged
// tree (blocks are shared where the file system can), and what the step changed is found by
// comparing with the layers. Thread-safe.
#pragma once

#include "snapshotter/snapshotter.h"

namespace mybuild::snapshotter {

std::unique_ptr<Snapshotter> make_native_snapshotter();

}  // namespace mybuild::snapshotter
