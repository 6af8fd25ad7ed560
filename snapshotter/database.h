// SPDX-License-Identifier: Apache-2.0
// Opening state.db: makes it, brings an older schema to the one of metadata.md, refuses a newer one
// by name, and puts a damaged file aside. Internal to the box; safe between processes.
#pragma once

#include "snapshotter/metadata.h"
#include "snapshotter/sqlite.h"

#include <string>

namespace mybuild::snapshotter {

Result<SqliteConnection> open_database(const std::string& path, const Warn& warn);

}  // namespace mybuild::snapshotter
