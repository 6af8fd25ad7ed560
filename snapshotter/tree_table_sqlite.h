// SPDX-License-Identifier: Apache-2.0
// The table of trees in an open database. Internal to the box.
#pragma once

#include "snapshotter/base/guarded.h"
#include "snapshotter/sqlite.h"
#include "snapshotter/tree_table.h"

#include <memory>

namespace mybuild::snapshotter {

/// `db` has the schema and outlives the table.
std::unique_ptr<TreeTable> make_tree_table(Guarded<SqliteConnection>& db);

}  // namespace mybuild::snapshotter
