// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/metadata.h"

#include "snapshotter/base/guarded.h"
#include "snapshotter/base/log.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/build_tables_sqlite.h"
#include "snapshotter/sqlite.h"

#include <ctime>

namespace mybuild::snapshotter {

namespace {

constexpr std::int64_t kSchemaVersion = 4;

/// A log of this many pages is folded back by the writer who closes. Shorter ones stay: to fold
/// costs two fsyncs, to recover this many at the next open costs less than a millisecond.
constexpr int kFoldAtClose = 128;
/// While the database is open the fold waits longer, as it holds up whoever commits.
constexpr int kFoldWhileOpen = 4000;

/// Makes a new database, and one of an older schema into one of this: versions so far only added
/// tables.
constexpr const char* kSchema = R"(
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS layers(
  diff_id BLOB PRIMARY KEY, changes BLOB, size INTEGER NOT NULL, created INTEGER NOT NULL
) WITHOUT ROWID;
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
  output BLOB NOT NULL, body TEXT NOT NULL, created INTEGER NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS records_by_definition
  ON records(definition_key, content_key, output);
CREATE INDEX IF NOT EXISTS records_by_content ON records(content_key);
CREATE INDEX IF NOT EXISTS records_by_output ON records(output);
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
PRAGMA user_version = 4;
COMMIT;
)";

constexpr const char* kPutLayer = "INSERT OR REPLACE INTO layers VALUES(?,?,?,?)";
constexpr const char* kFindLayer = "SELECT changes, size, created FROM layers WHERE diff_id = ?";
constexpr const char* kLayers =
    "SELECT diff_id, changes, size, created FROM layers ORDER BY created, diff_id";
constexpr const char* kRemoveLayer = "DELETE FROM layers WHERE diff_id = ?";
constexpr const char* kRemoveLayerBlobs = "DELETE FROM layer_blobs WHERE diff_id = ?";
constexpr const char* kPutLayerBlob = "INSERT OR REPLACE INTO layer_blobs VALUES(?,?,?)";
constexpr const char* kFindLayerBlob =
    "SELECT blob FROM layer_blobs WHERE diff_id = ? AND format = ?";
constexpr const char* kLayerBlobs =
    "SELECT diff_id, format, blob FROM layer_blobs ORDER BY diff_id, format";
constexpr const char* kPutBlobSource = "INSERT OR REPLACE INTO blob_sources VALUES(?,?,?)";
constexpr const char* kFindBlobSource =
    "SELECT repository FROM blob_sources WHERE blob = ? AND domain = ?";
constexpr const char* kPutRepoDigest = "INSERT OR REPLACE INTO repo_digests VALUES(?,?,?)";
constexpr const char* kFindRepoDigests =
    "SELECT repository, manifest FROM repo_digests WHERE config = ? ORDER BY repository, manifest";
constexpr const char* kImageOfDigest =
    "SELECT config FROM repo_digests WHERE repository = ? AND manifest = ?";
constexpr const char* kRemoveRepoDigests = "DELETE FROM repo_digests WHERE config = ?";
constexpr const char* kImageOfName =
    "SELECT config, created, size FROM images WHERE name = ? AND name <> ''";
constexpr const char* kNameCount = "SELECT count(*) FROM images WHERE config = ? AND name <> ''";
constexpr const char* kPutImage = "INSERT OR REPLACE INTO images VALUES(?,?,?,?)";
constexpr const char* kRemoveImage = "DELETE FROM images WHERE config = ? AND name = ?";
constexpr const char* kImagesOfConfig =
    "SELECT name, created, size FROM images WHERE config = ? ORDER BY name";
constexpr const char* kImages =
    "SELECT name, config, created, size FROM images ORDER BY created DESC, name";
constexpr const char* kPutGitTree = "INSERT OR REPLACE INTO git_trees VALUES(?,?,?)";
constexpr const char* kFindGitTree = "SELECT diff_id, time FROM git_trees WHERE key = ?";
constexpr const char* kPutResolved = "INSERT OR REPLACE INTO resolved VALUES(?,?,?)";
constexpr const char* kFindResolved =
    "SELECT manifest FROM resolved WHERE reference = ? AND platform = ?";
constexpr const char* kPutHttpFile = "INSERT OR REPLACE INTO http_files VALUES(?,?,?,?,?,?)";
constexpr const char* kFindHttpFile =
    "SELECT content, size, etag, last_modified, created FROM http_files WHERE request = ?";
constexpr const char* kPutKnownBuild = "INSERT OR REPLACE INTO known_builds(key, body) VALUES(?,?)";
constexpr const char* kDropOldKnownBuilds =
    "DELETE FROM known_builds WHERE id <= (SELECT max(id) FROM known_builds) - 1000";
constexpr const char* kFindKnownBuild = "SELECT body FROM known_builds WHERE key = ?";
constexpr const char* kForgetKnownBuilds = "DELETE FROM known_builds";
constexpr const char* kPutRecord =
    "INSERT INTO records(definition_key, content_key, output, body, created) VALUES(?,?,?,?,?) "
    "ON CONFLICT(definition_key, content_key, output) DO UPDATE "
    "SET body = excluded.body, created = excluded.created";
// Newest first: of several results that fit, the last one is the likeliest to have its bytes.
constexpr const char* kRecordsByDefinition =
    "SELECT definition_key, content_key, output, body, created FROM records "
    "WHERE definition_key = ? ORDER BY created DESC, id DESC";
constexpr const char* kRecordsByContent =
    "SELECT definition_key, content_key, output, body, created FROM records "
    "WHERE content_key = ? ORDER BY created DESC, id DESC";
constexpr const char* kRecordsByOutput =
    "SELECT definition_key, content_key, output, body, created FROM records "
    "WHERE output = ? ORDER BY created DESC, id DESC";

Result<std::int64_t> pragma_number(SqliteConnection& db, const char* sql) {
  Query query = TRY(db.query(sql));
  return TRY(query.next())
  ? query.integer(0) : 0;
}

/// Several writes that others see together.
template <class Body>
Status transaction(SqliteConnection& db, Body body) {
  TRY(db.run("BEGIN IMMEDIATE"));
  if (Status done = body(); !done) {
    (void)db.run("ROLLBACK");
    return done;
  }
  return db.run("COMMIT");
}

class SqliteMetadata final : public Metadata {
 public:
  explicit SqliteMetadata(SqliteConnection db)
      : db_(std::move(db)), builds_(make_build_tables(db_, {})) {}
  ~SqliteMetadata() override {
    const auto db = db_.lock();
    if (db->wal_pages() >= kFoldAtClose) {
      // Truncated, or the next open would still read all of it. Nobody is waited for.
      (void)db->run("PRAGMA busy_timeout=0; PRAGMA wal_checkpoint(TRUNCATE)");
    }
  }

  Status put_layer(const LayerRow& row) override {
    const auto db = db_.lock();
    Query query = TRY(db->query(kPutLayer));
    query.bind(row.diff_id).bind(row.changes).bind(row.size).bind(row.created);
    return wrote(*db, query);
  }

  Result<std::optional<LayerRow>> find_layer(const Digest& diff_id) override {
    const auto db = db_.lock();
    Query query = TRY(db->query(kFindLayer));
    query.bind(diff_id);
    if (!TRY(query.next())) {
      return std::optional<LayerRow>();
    }
    LayerRow row;
    row.diff_id = diff_id;
    row.changes = TRY(query.optional_digest(0));
    row.size = static_cast<std::uint64_t>(query.integer(1));
    row.created = query.integer(2);
    return std::optional(row);
  }

  Status remove_layer(const Digest& diff_id) override {
    const auto db = db_.lock();
    return transaction(*db, [&]() -> Status {
      Query layer = TRY(db->query(kRemoveLayer));
      TRY(layer.bind(diff_id).run());
      Query blobs = TRY(db->query(kRemoveLayerBlobs));
      return blobs.bind(diff_id).run();
    });
  }

  Status put_layer_blob(const Digest& diff_id, const std::string& format,
                        const oci::Descriptor& blob) override {
    const std::string json = oci::dump(blob);
    const auto db = db_.lock();
    Query query = TRY(db->query(kPutLayerBlob));
    query.bind(diff_id).bind(format).bind(json);
    return wrote(*db, query);
  }

  Result<std::optional<oci::Descriptor>> find_layer_blob(const Digest& diff_id,
                                                         const std::string& format) override {
    const auto db = db_.lock();
    Query query = TRY(db->query(kFindLayerBlob));
    query.bind(diff_id).bind(format);
    if (!TRY(query.next())) {
      return std::optional<oci::Descriptor>();
    }
    return std::optional(TRY(oci::parse_descriptor(query.text(0))));
  }

  Result<std::vector<LayerRow>> layers() override {
    const auto db = db_.lock();
    Query query = TRY(db->query(kLayers));
    std::vector<LayerRow> rows;
    while (TRY(query.next())) {
      LayerRow row;
      row.diff_id = TRY(query.digest(0));
      row.changes = TRY(query.optional_digest(1));
      row.size = static_cast<std::uint64_t>(query.integer(2));
      row.created = query.integer(3);
      rows.push_back(row);
    }
    return rows;
  }

  Result<std::vector<LayerBlobRow>> layer_blobs() override {
    const auto db = db_.lock();
    Query query = TRY(db->query(kLayerBlobs));
    std::vector<LayerBlobRow> rows;
    while (TRY(query.next())) {
      LayerBlobRow row;
      row.diff_id = TRY(query.digest(0));
      row.format = query.text(1);
      row.blob = TRY(oci::parse_descriptor(query.text(2)));
      rows.push_back(std::move(row));
    }
    return rows;
  }

  Status put_blob_source(const std::string& domain, const std::string& repository,
                         const std::vector<Digest>& blobs) override {
    const auto db = db_.lock();
    return transaction(*db, [&]() -> Status {
      for (const Digest& blob : blobs) {
        Query query = TRY(db->query(kPutBlobSource));
        TRY(query.bind(blob).bind(domain).bind(repository).run());
      }
      return {};
    });
  }

  Result<std::optional<std::string>> find_blob_source(const std::string& domain,
                                                      const Digest& blob) override {
    const auto db = db_.lock();
    Query query = TRY(db->query(kFindBlobSource));
    query.bind(blob).bind(domain);
    if (!TRY(query.next())) {
      return std::optional<std::string>();
    }
    return std::optional(query.text(0));
  }

  Status put_repo_digest(const RepoDigestRow& row) override {
    const auto db = db_.lock();
    Query query = TRY(db->query(kPutRepoDigest));
    query.bind(row.config).bind(row.repository).bind(row.manifest);
    return wrote(*db, query);
  }

  Result<std::vector<RepoDigestRow>> find_repo_digests(const Digest& config) override {
    const auto db = db_.lock();
    Query query = TRY(db->query(kFindRepoDigests));
    query.bind(config);
    std::vector<RepoDigestRow> rows;
    while (TRY(query.next())) {
      rows.push_back({.config = config, .repository = query.text(0), .manifest = {}});
      rows.back().manifest = TRY(query.digest(1));
    }
    return rows;
  }

  Result<std::optional<Digest>> find_image_by_digest(const std::string& repository,
                                                     const Digest& manifest) override {
    const auto db = db_.lock();
    Query query = TRY(db->query(kImageOfDigest));
    query.bind(repository).bind(manifest);
    if (!TRY(query.next())) {
      return std::optional<Digest>();
    }
    return std::optional(TRY(query.digest(0)));
  }

  Status remove_repo_digests(const Digest& config) override {
    const auto db = db_.lock();
    Query query = TRY(db->query(kRemoveRepoDigests));
    query.bind(config);
    return wrote(*db, query);
  }

  Status put_image(const ImageRow& row) override {
    const auto db = db_.lock();
    return transaction(*db, [&]() -> Status {
      TRY(release_name(*db, row));
      return insert_image(*db, row);
    });
  }

  Result<std::optional<ImageRow>> find_image_by_name(const std::string& name) override {
    const auto db = db_.lock();
    return image_of_name(*db, name);
  }

  Result<std::vector<ImageRow>> find_images_by_config(const Digest& config) override {
    const auto db = db_.lock();
    Query query = TRY(db->query(kImagesOfConfig));
    query.bind(config);
    std::vector<ImageRow> rows;
    while (TRY(query.next())) {
      rows.push_back({.name = query.text(0),
                      .config = config,
                      .created = query.integer(1),
                      .size = static_cast<std::uint64_t>(query.integer(2))});
    }
    return rows;
  }

  Result<std::vector<ImageRow>> images() override {
    const auto db = db_.lock();
    Query query = TRY(db->query(kImages));
    std::vector<ImageRow> rows;
    while (TRY(query.next())) {
      ImageRow row;
      row.name = query.text(0);
      row.config = TRY(query.digest(1));
      row.created = query.integer(2);
      row.size = static_cast<std::uint64_t>(query.integer(3));
      rows.push_back(std::move(row));
    }
    return rows;
  }

  Status remove_image(const std::string& name, const Digest& config) override {
    const auto db = db_.lock();
    Query query = TRY(db->query(kRemoveImage));
    query.bind(config).bind(name);
    return wrote(*db, query);
  }

  Status put_resolved(const ResolvedRow& row) override {
    const auto db = db_.lock();
    Query query = TRY(db->query(kPutResolved));
    query.bind(row.reference).bind(row.platform).bind(row.manifest);
    return wrote(*db, query);
  }

  Result<std::optional<Digest>> find_resolved(const std::string& reference,
                                              const std::string& platform) override {
    const auto db = db_.lock();
    Query query = TRY(db->query(kFindResolved));
    query.bind(reference).bind(platform);
    if (!TRY(query.next())) {
      return std::optional<Digest>();
    }
    return std::optional(TRY(query.digest(0)));
  }

  Status put_http_file(const HttpFileRow& row) override {
    const auto db = db_.lock();
    Query query = TRY(db->query(kPutHttpFile));
    query.bind(row.request).bind(row.content).bind(row.size).bind(row.etag);
    query.bind(row.last_modified).bind(row.created);
    return wrote(*db, query);
  }

  Result<std::optional<HttpFileRow>> find_http_file(const Digest& request) override {
    const auto db = db_.lock();
    Query query = TRY(db->query(kFindHttpFile));
    query.bind(request);
    if (!TRY(query.next())) {
      return std::optional<HttpFileRow>();
    }
    HttpFileRow row;
    row.request = request;
    row.content = TRY(query.digest(0));
    row.size = static_cast<std::uint64_t>(query.integer(1));
    row.etag = query.text(2);
    row.last_modified = query.text(3);
    row.created = query.integer(4);
    return std::optional(std::move(row));
  }

  Status put_git_tree(const GitTreeRow& row) override {
    const auto db = db_.lock();
    Query query = TRY(db->query(kPutGitTree));
    query.bind(row.key).bind(row.diff_id).bind(row.time);
    return wrote(*db, query);
  }

  Result<std::optional<GitTreeRow>> find_git_tree(const Digest& key) override {
    const auto db = db_.lock();
    Query query = TRY(db->query(kFindGitTree));
    query.bind(key);
    if (!TRY(query.next())) {
      return std::optional<GitTreeRow>();
    }
    GitTreeRow row;
    row.key = key;
    row.diff_id = TRY(query.digest(0));
    row.time = query.integer(1);
    return std::optional(row);
  }

  Status put_known_build(const Digest& key, const std::string& body) override {
    const auto db = db_.lock();
    return transaction(*db, [&]() -> Status {
      Query put = TRY(db->query(kPutKnownBuild));
      TRY(put.bind(key).bind(body).run());
      Query drop = TRY(db->query(kDropOldKnownBuilds));
      return drop.run();
    });
  }

  Result<std::optional<std::string>> find_known_build(const Digest& key) override {
    const auto db = db_.lock();
    Query query = TRY(db->query(kFindKnownBuild));
    query.bind(key);
    if (!TRY(query.next())) {
      return std::optional<std::string>();
    }
    return std::optional(query.text(0));
  }

  Status forget_known_builds() override {
    const auto db = db_.lock();
    Query query = TRY(db->query(kForgetKnownBuilds));
    return wrote(*db, query);
  }

  Status put_record(const RecordRow& row) override {
    const auto db = db_.lock();
    Query query = TRY(db->query(kPutRecord));
    query.bind(row.definition_key).bind(row.content_key).bind(row.output).bind(row.body);
    query.bind(row.created);
    return wrote(*db, query);
  }

  Result<std::vector<std::vector<RecordRow>>> find_records_by_definition(
      std::span<const Digest> keys) override {
    const auto db = db_.lock();
    std::vector<std::vector<RecordRow>> answers;
    answers.reserve(keys.size());
    // One transaction, so the file is locked once and all answers are of one moment.
    TRY(db->run("BEGIN"));
    for (const Digest& key : keys) {
      Result<std::vector<RecordRow>> rows = find_records(*db, kRecordsByDefinition, key);
      if (!rows) {
        (void)db->run("ROLLBACK");
        return std::move(rows).error();
      }
      answers.push_back(std::move(rows).value());
    }
    TRY(db->run("COMMIT"));
    return answers;
  }
  Result<std::vector<RecordRow>> find_records_by_content(const Digest& key) override {
    const auto db = db_.lock();
    return find_records(*db, kRecordsByContent, key);
  }
  Result<std::vector<RecordRow>> find_records_by_output(const Digest& output) override {
    const auto db = db_.lock();
    return find_records(*db, kRecordsByOutput, output);
  }

  BuildTables& builds() override { return *builds_; }

 private:
  static Status wrote(SqliteConnection& db, Query& query) {
    TRY(query.run());
    if (db.wal_pages() >= kFoldWhileOpen) {
      (void)db.run("PRAGMA wal_checkpoint(PASSIVE)");
    }
    return {};
  }

  static Result<std::optional<ImageRow>> image_of_name(SqliteConnection& db,
                                                       const std::string& name) {
    Query query = TRY(db.query(kImageOfName));
    query.bind(name);
    if (!TRY(query.next())) {
      return std::optional<ImageRow>();
    }
    ImageRow row;
    row.name = name;
    row.config = TRY(query.digest(0));
    row.created = query.integer(1);
    row.size = static_cast<std::uint64_t>(query.integer(2));
    return std::optional(std::move(row));
  }

  static Status remove_row(SqliteConnection& db, const Digest& config, std::string_view name) {
    Query query = TRY(db.query(kRemoveImage));
    return query.bind(config).bind(name).run();
  }

  static Status insert_row(SqliteConnection& db, const ImageRow& row) {
    Query query = TRY(db.query(kPutImage));
    return query.bind(row.config).bind(row.name).bind(row.created).bind(row.size).run();
  }

  static Result<bool> has_name(SqliteConnection& db, const Digest& config) {
    Query query = TRY(db.query(kNameCount));
    query.bind(config);
    return TRY(query.next())
    &&query.integer(0) > 0;
  }

  /// Takes the name from the image that has it; one that had no other stays as an untagged row.
  static Status release_name(SqliteConnection& db, const ImageRow& row) {
    std::optional<ImageRow> older = TRY(image_of_name(db, row.name));
    if (!older || older->config == row.config) {
      return {};
    }
    TRY(remove_row(db, older->config, row.name));
    if (TRY(has_name(db, older->config))) {
      return {};
    }
    older->name.clear();
    return insert_row(db, *older);
  }

  static Status insert_image(SqliteConnection& db, const ImageRow& row) {
    if (!row.name.empty()) {
      TRY(remove_row(db, row.config, ""));
    } else if (TRY(has_name(db, row.config))) {
      return {};  // an image with a name is not untagged as well
    }
    return insert_row(db, row);
  }

  static Result<std::vector<RecordRow>> find_records(SqliteConnection& db, const char* sql,
                                                     const Digest& key) {
    Query query = TRY(db.query(sql));
    query.bind(key);
    std::vector<RecordRow> rows;
    while (TRY(query.next())) {
      RecordRow row;
      row.definition_key = TRY(query.digest(0));
      row.content_key = TRY(query.digest(1));
      row.output = TRY(query.digest(2));
      row.body = query.text(3);
      row.created = query.integer(4);
      rows.push_back(std::move(row));
    }
    return rows;
  }

  Guarded<SqliteConnection> db_;
  const std::unique_ptr<BuildTables> builds_;
};

Result<SqliteConnection> open_database(const std::string& path) {
  SqliteConnection db = TRY(SqliteConnection::open(path));
  const std::int64_t version = TRY(pragma_number(db, "PRAGMA user_version"));
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
    TRY(db.run(kSchema));
  }
  TRY(db.run("PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY"));
  // Reads the schema and the root pages, so that a file that is bad there is noticed now.
  (void)TRY(pragma_number(db, "SELECT count(*) FROM (SELECT 1 FROM layers LIMIT 1)"));
  (void)TRY(pragma_number(db, "SELECT count(*) FROM (SELECT 1 FROM records LIMIT 1)"));
  return db;
}

Status move_aside(const std::string& path) {
  const std::string aside = fmt::format("{}.corrupt-{}", path, std::time(nullptr));
  TRY(sys::rename_at(AT_FDCWD, path, AT_FDCWD, aside));
  // The log belongs to the file that went; the index of the log can be made again.
  (void)sys::rename_at(AT_FDCWD, path + "-wal", AT_FDCWD, aside + "-wal");
  (void)sys::unlink_at(AT_FDCWD, path + "-shm");
  return {};
}

}  // namespace

Result<std::unique_ptr<Metadata>> Metadata::open(const std::string& path) {
  Result<SqliteConnection> db = open_database(path);
  if (!db && is_corrupt_database(db.error())) {
    log::debug("{}: {}, starting anew", path, db.error().message());
    TRY(move_aside(path).context("move a corrupt database aside"));
    db = open_database(path);
  }
  if (!db) {
    return std::move(db).error();
  }
  return std::unique_ptr<Metadata>(std::make_unique<SqliteMetadata>(std::move(db).value()));
}

}  // namespace mybuild::snapshotter
