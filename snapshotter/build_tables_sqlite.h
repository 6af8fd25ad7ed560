// SPDX-License-Identifier: Apache-2.0
// The tables of builds in an open database. Internal to the box.
#pragma once

#include "snapshotter/base/guarded.h"
#include "snapshotter/build_tables.h"
#include "snapshotter/sqlite.h"

#include <memory>

namespace mybuild::snapshotter {

struct BuildLimits {
  std::uint64_t builds = 100;
  std::uint64_t part_bytes = std::uint64_t{64} << 20U;
  std::uint64_t parts = 4096;
};

/// `db` has the schema and outlives the tables.
std::unique_ptr<BuildTables> make_build_tables(Guarded<SqliteConnection>& db, BuildLimits limits);

}  // namespace mybuild::snapshotter
