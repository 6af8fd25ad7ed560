// SPDX-License-Identifier: Apache-2.0
// A view as a list of objects, for exporters that write whole trees.
#pragma once

#include "snapshotter/tree_view.h"

#include <functional>

namespace mybuild::exporter {

/// Every object below the directory `top` (by default the root) in path order. A second name of a
/// file comes as a HardLink to the first.
Status walk_tree(const snapshotter::TreeView& view,
                 const std::function<Status(snapshotter::Entry)>& visit,
                 const std::string& top = {});

}  // namespace mybuild::exporter
