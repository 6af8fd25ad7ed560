// SPDX-License-Identifier: Apache-2.0
// A merged view as a real tree: all metadata, hard links kept, file blocks shared where possible.
// Thread-safe.
#pragma once

#include "snapshotter/tree_view.h"

#include <string>

namespace mybuild::snapshotter {

/// Fills the empty directory `dir`.
Status copy_tree(const TreeView& view, const std::string& dir);

}  // namespace mybuild::snapshotter
