// SPDX-License-Identifier: Apache-2.0
// What differs between a merged view and a tree that began as its copy, as a layer tree.
// Thread-safe.
#pragma once

#include "snapshotter/tree_view.h"

#include <time.h>

#include <string>

namespace mybuild::snapshotter {

/// Changed objects are moved from `changed` to the empty directory `layer`. Files whose status did
/// not change since `copied` (the change time of something made after the copy) have the bytes they
/// were copied with.
Status diff_tree(const TreeView& lower, const std::string& changed, const std::string& layer,
                 struct timespec copied);

}  // namespace mybuild::snapshotter
