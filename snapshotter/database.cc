// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/database.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

#include <algorithm>
#include <ctime>

namespace mybuild::snapshotter {

namespace {

constexpr std::int64_t kSchemaVersion = 6;

/// Makes what is not there. Before it, a table that got a column is altered.
constexpr const char* kSchema = R"(
CREATE TABLE IF NOT EXISTS layers(
  diff_id BLOB PRIMARY KEY, changes BLOB, size INTEGER NOT NULL, created INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS trees(
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, diff_id BLOB NOT NULL,
  size INTEGER NOT NULL, created INTEGER NOT NULL, synced INTEGER NOT NULL, seal BLOB NOT NULL,
  disk INTEGER NOT NULL DEFAULT 0, witness BLOB
);
CREATE INDEX IF NOT EXISTS trees_by_diff_id ON trees(diff_id);
CREATE INDEX IF NOT EXISTS trees_unsynced ON trees(id) WHERE synced = 0;
CREATE TABLE IF NOT EXISTS layer_blobs(
  diff_id BLOB, format TEXT, blob TEXT NOT NULL, PRIMARY KEY(diff_id, format)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS images(
  config BLOB, name TEXT, created INTEGER NOT NULL, size INTEGER NOT NULL, PRIMARY KEY(config, name)
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS images_by_name ON images(name) WHERE name <> '';
CREATE TABLE IF NOT EXISTS resolved(
  reference TEXT, platform TEXT, manifest BLOB NOT NULL, PRIMARY KEY(reference, platform)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS records(
  id INTEGER PRIMARY KEY, definition_key BLOB NOT NULL, content_key BLOB NOT NULL,
  output BLOB NOT NULL, body TEXT NOT NULL, created INTEGER NOT NULL, layer BLOB
);
CREATE UNIQUE INDEX IF NOT EXISTS records_by_definition
  ON records(definition_key, content_key, output);
CREATE INDEX IF NOT EXISTS records_by_content ON records(content_key);
CREATE INDEX IF NOT EXISTS records_by_output ON records(output);
CREATE INDEX IF NOT EXISTS records_by_layer ON records(layer) WHERE layer IS NOT NULL;
CREATE TABLE IF NOT EXISTS repo_digests(
  config BLOB, repository TEXT, manifest BLOB, PRIMARY KEY(config, repository, manifest)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS repo_digests_by_manifest ON repo_digests(manifest, repository);
CREATE TABLE IF NOT EXISTS blob_sources(
  blob BLOB, domain TEXT, repository TEXT NOT NULL, PRIMARY KEY(blob, domain)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS http_files(
  request BLOB PRIMARY KEY, content BLOB NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
  last_modified TEXT NOT NULL, created INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS git_trees(
  key BLOB PRIMARY KEY, diff_id BLOB NOT NULL, time INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS git_trees_by_diff_id ON git_trees(diff_id);
CREATE TABLE IF NOT EXISTS known_builds(
  id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, body TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS builds(
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, created INTEGER NOT NULL,
  last INTEGER NOT NULL, repeats INTEGER NOT NULL, duration INTEGER NOT NULL,
  subject TEXT NOT NULL, image TEXT NOT NULL, error TEXT NOT NULL, outcomes TEXT NOT NULL, part BLOB
);
CREATE TABLE IF NOT EXISTS build_parts(
  id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, size INTEGER NOT NULL, body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS build_parts_by_age ON build_parts(id, size);
PRAGMA user_version = 6;
)";

/// Schemas 1 to 4 had records without a layer; such a record stays until all are removed.
constexpr const char* kRecordsWithLayer = "ALTER TABLE records ADD COLUMN layer BLOB";
constexpr std::int64_t kRecordsWithLayerSince = 5;
/// Schema 5 had trees without these; what it knows of them is believed as before.
constexpr const char* kTreesWithWitness =
    "ALTER TABLE trees ADD COLUMN disk INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE trees ADD COLUMN witness BLOB";
constexpr std::int64_t kTreesSince = 5;

Result<std::int64_t> pragma_number(SqliteConnection& db, const char* sql) {
  Query query = TRY(db.query(sql));
  return TRY(query.next())
  ? query.integer(0) : 0;
}

Result<std::int64_t> schema_of(SqliteConnection& db) {
  return pragma_number(db, "PRAGMA user_version");
}

Status upgrade(SqliteConnection& db) {
  return db.transaction([&]() -> Status {
    const std::int64_t version = TRY(schema_of(db));  // another process may have been faster
    if (version > 0 && version < kRecordsWithLayerSince) {
      TRY(db.run(kRecordsWithLayer));
    }
    if (version == kTreesSince) {
      TRY(db.run(kTreesWithWitness));
    }
    return version < kSchemaVersion ? db.run(kSchema) : Status();
  });
}

/// Layers without a database: somebody removed it.
bool is_lost(const std::string& path) {
  const std::string layers = path.substr(0, path.rfind('/')) + "/layers";
  const Result<Fd> dir = sys::open(layers, O_RDONLY | O_DIRECTORY);
  const Result<std::vector<std::string>> names =
      dir ? sys::list_dir(dir->get()) : Result<std::vector<std::string>>(dir.error());
  return names && !names->empty();
}

Result<SqliteConnection> open_whole(const std::string& path, const Warn& warn) {
  SqliteConnection db = TRY(SqliteConnection::open(path));
  const std::int64_t version = TRY(schema_of(db));
  if (version == 0 && is_lost(path)) {
    warn(
        "the store has layers, but its database is gone: a new one is made, names of images are "
        "lost and cached steps run again");
  }
  if (version > kSchemaVersion) {
    return unsupported("{} has schema {}, this mybuild knows schemas up to {}", path, version,
                       kSchemaVersion)
        .with_hint("use a newer mybuild, or another state directory (--root)");
  }
  if (version == 0) {
    // Nothing to lose yet: what a crash leaves of an empty database is found corrupt or empty, and
    // made again.
    TRY(db.run("PRAGMA synchronous=OFF"));
    TRY(db.use_wal());
  }
  if (version < kSchemaVersion) {
    TRY(upgrade(db));
  }
  TRY(db.run("PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY"));
  // Reads the schema and the root pages, so that a file that is bad there is noticed now.
  (void)TRY(pragma_number(db, "SELECT count(*) FROM (SELECT 1 FROM layers LIMIT 1)"));
  (void)TRY(pragma_number(db, "SELECT count(*) FROM (SELECT 1 FROM records LIMIT 1)"));
  // Damage in the middle of a file shows when somebody gets there, and is told by a mark.
  TRY(check_if_marked(db, path));
  return db;
}

Status move_aside(const std::string& path, const std::string& aside) {
  TRY(sys::rename_at(AT_FDCWD, path, AT_FDCWD, aside));
  // The log belongs to the file that went; the index of the log can be made again.
  (void)sys::rename_at(AT_FDCWD, path + "-wal", AT_FDCWD, aside + "-wal");
  (void)sys::unlink_at(AT_FDCWD, path + "-shm");
  (void)sys::unlink_at(AT_FDCWD, damage_mark(path));
  return {};
}

/// What nobody can build again: the names of images. Rows that can still be read are taken over;
/// one that is damaged leads to a config that is not there.
std::size_t rescue_names(SqliteConnection& db, const std::string& aside) {
  Result<Query> attach = db.query("ATTACH ? AS damaged");
  if (!attach || !attach->bind(aside).run()) {
    return 0;
  }
  for (const char* sql :
       {"INSERT OR IGNORE INTO images SELECT * FROM damaged.images",
        "INSERT OR IGNORE INTO repo_digests SELECT * FROM damaged.repo_digests"}) {
    (void)db.run(sql);
  }
  (void)db.run("DETACH damaged");
  return static_cast<std::size_t>(
      pragma_number(db, "SELECT count(*) FROM images WHERE name <> ''").value_or(0));
}

Result<SqliteConnection> replace_damaged(const std::string& path, const Error& damage,
                                         const Warn& warn) {
  // Whoever comes at the same moment finds the new one.
  const FileLock lock = TRY(FileLock::acquire(path + ".lock", FileLock::Mode::Exclusive));
  Result<SqliteConnection> again = open_whole(path, warn);
  if (again || !is_corrupt_database(again.error())) {
    return again;
  }
  const std::string aside = fmt::format("{}.corrupt-{}", path, std::time(nullptr));
  TRY(move_aside(path, aside).context("move a damaged database aside"));
  const Warn told = [](const std::string&) {};
  SqliteConnection db = TRY(open_whole(path, told));
  const std::size_t names = rescue_names(db, aside);
  warn(
      fmt::format("the store's database was damaged ({}) and is kept as {}; a new one was made: {} "
                  "image names could be taken over, cached steps run again",
                  damage.message(), aside, names));
  return db;
}

}  // namespace

Result<SqliteConnection> open_database(const std::string& path, const Warn& warn) {
  Result<SqliteConnection> db = open_whole(path, warn);
  if (!db && is_corrupt_database(db.error())) {
    return replace_damaged(path, db.error(), warn);
  }
  return db;
}

}  // namespace mybuild::snapshotter
