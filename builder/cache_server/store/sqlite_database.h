// SPDX-License-Identifier: Apache-2.0
// The server's database as its tables see it: a connection for changes, one at a time, and one for
// questions, which no change holds up. Internal to the box. Thread-safe.
#pragma once

#include "builder/cache_server/store/access_tables.h"
#include "builder/cache_server/store/record_tables.h"
#include "builder/cache_server/store/repository_tables.h"
#include "snapshotter/base/guarded.h"
#include "snapshotter/sqlite.h"

#include <memory>

namespace mybuild::cache_server {

struct SqliteDatabase {
  Guarded<snapshotter::SqliteConnection> writer;
  Guarded<snapshotter::SqliteConnection> reader;
};

/// The whole write-ahead log goes back into the database's file, and is empty then; not within a
/// transaction. Where that cannot be it is left to later: nothing is lost as long as the log is
/// there.
void fold_log(snapshotter::SqliteConnection& writer);

// Each set of tables with its part of the schema, which holds once per database. `database`
// outlives the tables.
extern const char kAccessSchema[];
extern const char kRepositorySchema[];
extern const char kRecordSchema[];
/// A part of its own, as servers of schema 1 have not got it.
extern const char kSizesSchema[];
std::unique_ptr<AccessTables> make_access_tables(SqliteDatabase& database);
std::unique_ptr<RepositoryTables> make_repository_tables(SqliteDatabase& database);
std::unique_ptr<RecordTables> make_record_tables(SqliteDatabase& database);

}  // namespace mybuild::cache_server
