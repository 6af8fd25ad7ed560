// SPDX-License-Identifier: Apache-2.0
// Turns an overlayfs upper directory into a layer tree that says what changed and nothing else:
// whatever overlayfs only copied up, or marked for its own use, goes. The same change then gives
// the same tree on every kernel. Thread-safe.
#pragma once

#include "snapshotter/tree_view.h"

#include <string>

namespace mybuild::snapshotter {

/// `upper` must not be mounted any more; `lower` is the merged view of the layers it was mounted
/// on.
Status clean_upper(const std::string& upper, const TreeView& lower);

}  // namespace mybuild::snapshotter
