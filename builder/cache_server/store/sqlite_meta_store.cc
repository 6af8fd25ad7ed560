// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/store/sqlite_meta_store.h"

#include "builder/cache_server/store/sqlite_database.h"
#include "snapshotter/base/sys.h"

#include <fcntl.h>

#include <cerrno>

namespace mybuild::cache_server {

namespace {

using snapshotter::Query;
using snapshotter::SqliteConnection;

constexpr std::int64_t kSchema = 2;

// Promises of blobs became uses, and what a record cost a weight; those from before are of a
// middling one.
constexpr char kFromSchema1[] = R"sql(
ALTER TABLE blob_link DROP COLUMN kept_until;
ALTER TABLE record_use DROP COLUMN cost_ms;
ALTER TABLE record_use ADD COLUMN weight INTEGER NOT NULL DEFAULT 4;
CREATE INDEX record_by_worth ON record_use (pinned, weight, last_used, id, kept_until);
)sql";

class SqliteMetaStore final : public MetaStore {
 public:
  SqliteMetaStore(SqliteConnection writer, SqliteConnection reader)
      : database_{.writer = Guarded<SqliteConnection>(std::move(writer)),
                  .reader = Guarded<SqliteConnection>(std::move(reader))} {}
  AccessTables& access() override { return *access_; }
  RepositoryTables& repositories() override { return *repositories_; }
  RecordTables& records() override { return *records_; }
  void settle() override {
    const auto db = database_.writer.lock();
    fold_log(*db);
  }

 private:
  SqliteDatabase database_;
  const std::unique_ptr<AccessTables> access_ = make_access_tables(database_);
  const std::unique_ptr<RepositoryTables> repositories_ = make_repository_tables(database_);
  const std::unique_ptr<RecordTables> records_ = make_record_tables(database_);
};

Result<std::int64_t> schema_of(SqliteConnection& db) {
  Query query = TRY(db.query("PRAGMA user_version"));
  TRY(query.next());
  return query.integer(0);
}

/// Another program's database, or one of mybuild's others.
Status refuse_foreign(SqliteConnection& db, std::int64_t schema) {
  Query tables =
      TRY(db.query("SELECT count(*), coalesce(sum(name IN ('space', 'token', 'blob_link', 'tag', "
                   "'record')), 0) FROM sqlite_master WHERE type = 'table'"));
  TRY(tables.next());
  const bool is_ours = schema == 0 ? tables.integer(0) == 0 : tables.integer(1) == 5;
  return is_ours ? Status() : Status(data_loss("it is the database of something else"));
}

Status make_schema(SqliteConnection& db, const std::string& path) {
  return db.transaction([&]() -> Status {
    const std::int64_t schema = TRY(schema_of(db));
    TRY(refuse_foreign(db, schema));
    if (schema > kSchema) {
      return unsupported("{} has schema {}, this mybuild knows schemas up to {}", path, schema,
                         kSchema)
          .with_hint("use a newer mybuild, or another directory (--root)");
    }
    if (schema == kSchema) {
      return {};
    }
    if (schema == 0) {
      TRY(db.run(kAccessSchema));
      TRY(db.run(kRepositorySchema));
      TRY(db.run(kRecordSchema));
    } else {
      TRY(db.run(kFromSchema1));
    }
    TRY(db.run(kSizesSchema));
    return db.run("PRAGMA user_version = 2");
  });
}

/// What was acknowledged is on the disk (FULL), also after a power cut.
Result<SqliteConnection> connect(const std::string& path) {
  SqliteConnection db = TRY(SqliteConnection::open(path));
  TRY(db.use_wal());
  TRY(
      db.run("PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY; PRAGMA foreign_keys=ON; "
             "PRAGMA cache_size=-65536"));
  return db;
}

/// Ten thousand keys in one lookup are found in a third of the time when no page has to be copied.
Result<SqliteConnection> connect_reader(const std::string& path) {
  SqliteConnection db = TRY(connect(path));
  TRY(db.run("PRAGMA mmap_size=17179869184"));
  return db;
}

Result<std::unique_ptr<MetaStore>> open_whole(const std::string& path) {
  SqliteConnection writer = TRY(connect(path));
  TRY(make_schema(writer, path));
  TRY(snapshotter::check_if_marked(writer, path));
  SqliteConnection reader = TRY(connect_reader(path));
  return std::unique_ptr<MetaStore>(
      std::make_unique<SqliteMetaStore>(std::move(writer), std::move(reader)));
}

Result<bool> has_no_keys_in(SqliteConnection& db) {
  Query tables =
      TRY(db.query("SELECT count(*), coalesce(sum(name = 'space'), 0) FROM "
                   "sqlite_master WHERE type = 'table'"));
  TRY(tables.next());
  if (tables.integer(1) == 0) {
    return tables.integer(0) == 0;
  }
  Query keys = TRY(db.query("SELECT 1 FROM space LIMIT 1"));
  return !TRY(keys.next());
}

}  // namespace

void fold_log(SqliteConnection& writer) {
  // A reader that damage has left within its transaction holds up neither a stop nor who asks.
  (void)writer.run("PRAGMA busy_timeout=1000");
  (void)writer.run("PRAGMA wal_checkpoint(TRUNCATE)");
  (void)writer.run("PRAGMA busy_timeout=30000");
}

bool has_no_keys(const std::string& path) {
  auto db = SqliteConnection::open(path);
  return db && has_no_keys_in(*db).value_or(false);
}

Result<std::unique_ptr<MetaStore>> open_sqlite_meta_store(const std::string& path) {
  auto store = open_whole(path);
  return store ? std::move(store)
               : with_advice(Error(store.error()).context("the cache server's " + path));
}

Error with_advice(const Error& error) {
  if (error.os_errno() == ENOSPC) {
    return Error(error).with_hint(
        "the disk is full: make room there, or let the server keep less (--max-size)");
  }
  if (!snapshotter::is_corrupt_database(error)) {
    return error;
  }
  return Error(error).with_hint(
      "put a copy of it back, or what `sqlite3 FILE .recover` can read of it; for a new start, "
      "with new keys, tokens and records, move the whole directory away");
}

bool is_marked_damaged(const std::string& path) {
  return sys::exists_at(AT_FDCWD, snapshotter::damage_mark(path));
}

}  // namespace mybuild::cache_server
