// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/metadata.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/guarded.h"
#include "snapshotter/base/log.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/build_tables_sqlite.h"
#include "snapshotter/database.h"
#include "snapshotter/gc_lock.h"
#include "snapshotter/sqlite.h"
#include "snapshotter/tree_table_sqlite.h"

#include <ctime>

namespace mybuild::snapshotter {

namespace {

/// A log of this many pages is folded back by the writer who closes. Shorter ones stay: to fold
/// costs two fsyncs, to recover this many at the next open costs less than a millisecond.
constexpr int kFoldAtClose = 128;
constexpr const char* kIntegrityCheck = "PRAGMA integrity_check(20)";
constexpr const char* kFindLayer = "SELECT changes, size, created FROM layers WHERE diff_id = ?";
constexpr const char* kLayers =
    "SELECT diff_id, changes, size, created FROM layers ORDER BY created, diff_id";
constexpr const char* kPutLayerBlob = "INSERT OR REPLACE INTO layer_blobs VALUES(?,?,?)";
constexpr const char* kFindLayerBlob =
    "SELECT blob FROM layer_blobs WHERE diff_id = ? AND format = ?";
constexpr const char* kLayerBlobs =
    "SELECT diff_id, format, blob FROM layer_blobs ORDER BY diff_id, format";
constexpr const char* kPutBlobSource = "INSERT OR REPLACE INTO blob_sources VALUES(?,?,?)";
constexpr const char* kFindBlobSource =
    "SELECT repository FROM blob_sources WHERE blob = ? AND domain = ?";
constexpr const char* kFindBlobSources =
    "SELECT domain, repository FROM blob_sources WHERE blob = ? ORDER BY domain";
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
constexpr const char* kGitTrees = "SELECT key, diff_id, time FROM git_trees";
constexpr const char* kFindGitTree = "SELECT diff_id, time FROM git_trees WHERE key = ?";
constexpr const char* kPutResolved = "INSERT OR REPLACE INTO resolved VALUES(?,?,?)";
constexpr const char* kFindResolved =
    "SELECT manifest FROM resolved WHERE reference = ? AND platform = ?";
constexpr const char* kPutHttpFile = "INSERT OR REPLACE INTO http_files VALUES(?,?,?,?,?,?)";
constexpr const char* kFindHttpFile =
    "SELECT content, size, etag, last_modified, created, request FROM http_files "
    "WHERE request = ?";
constexpr const char* kHttpFiles =
    "SELECT content, size, etag, last_modified, created, request FROM http_files";
constexpr const char* kForgetHttpFile = "DELETE FROM http_files WHERE request = ?";
constexpr const char* kForgetLayerBlob = "DELETE FROM layer_blobs WHERE diff_id = ? AND format = ?";
constexpr const char* kRepoDigests =
    "SELECT config, repository, manifest FROM repo_digests ORDER BY config, repository, manifest";
constexpr const char* kResolved = "SELECT reference, platform, manifest FROM resolved";
constexpr const char* kForgetResolved = "DELETE FROM resolved WHERE reference = ? AND platform = ?";
constexpr const char* kRecordCount = "SELECT count(*) FROM records";
constexpr const char* kForgetRecords = "DELETE FROM records";
constexpr const char* kForgetRecordsSince = "DELETE FROM records WHERE created >= ?";
constexpr const char* kPutKnownBuild = "INSERT OR REPLACE INTO known_builds(key, body) VALUES(?,?)";
constexpr const char* kDropOldKnownBuilds =
    "DELETE FROM known_builds WHERE id <= (SELECT max(id) FROM known_builds) - 1000";
constexpr const char* kFindKnownBuild = "SELECT body FROM known_builds WHERE key = ?";
constexpr const char* kForgetKnownBuilds = "DELETE FROM known_builds";
constexpr const char* kPutRecord =
    "INSERT INTO records(definition_key, content_key, output, body, created, layer) "
    "VALUES(?,?,?,?,?,?) "
    "ON CONFLICT(definition_key, content_key, output) DO UPDATE "
    "SET body = excluded.body, created = excluded.created, layer = excluded.layer";
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

class SqliteMetadata final : public Metadata {
 public:
  SqliteMetadata(SqliteConnection db, std::string directory)
      : directory_(std::move(directory)),
        db_(std::move(db)),
        builds_(make_build_tables(db_, {})),
        trees_(make_tree_table(db_)) {}
  ~SqliteMetadata() override {
    const auto db = db_.lock();
    if (db->wal_pages() >= kFoldAtClose) {
      // Truncated, or the next open would still read all of it. Nobody is waited for.
      (void)db->run("PRAGMA busy_timeout=0; PRAGMA wal_checkpoint(TRUNCATE)");
    }
  }

  Result<std::vector<std::string>> check() override {
    const auto db = db_.lock();
    Query query = TRY(db->query(kIntegrityCheck));
    std::vector<std::string> problems;
    while (TRY(query.next())) {
      problems.push_back(query.text(0));
    }
    if (problems == std::vector<std::string>{"ok"}) {
      return std::vector<std::string>();
    }
    (void)write_file(damage_mark(join_path(directory_, "state.db")), "");
    return problems;
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

  Status put_layer_blobs(std::span<const LayerBlobRow> rows) override {
    const auto db = db_.lock();
    return db->transaction([&]() -> Status {
      for (const LayerBlobRow& row : rows) {
        const std::string json = oci::dump(row.blob);
        Query query = TRY(db->query(kPutLayerBlob));
        TRY(query.bind(row.diff_id).bind(row.format).bind(json).run());
      }
      return {};
    });
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

  Status forget_layer_blobs(std::span<const Digest> diff_ids, const std::string& format) override {
    const auto db = db_.lock();
    return db->transaction([&]() -> Status {
      for (const Digest& diff_id : diff_ids) {
        Query query = TRY(db->query(kForgetLayerBlob));
        TRY(query.bind(diff_id).bind(format).run());
      }
      return {};
    });
  }

  Status put_blob_source(const std::string& domain, const std::string& repository,
                         const std::vector<Digest>& blobs) override {
    const auto db = db_.lock();
    return db->transaction([&]() -> Status {
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

  Result<std::vector<BlobSourceRow>> find_blob_sources(const Digest& blob) override {
    const auto db = db_.lock();
    Query query = TRY(db->query(kFindBlobSources));
    query.bind(blob);
    std::vector<BlobSourceRow> rows;
    while (TRY(query.next())) {
      rows.push_back({.domain = query.text(0), .repository = query.text(1)});
    }
    return rows;
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

  Result<std::vector<RepoDigestRow>> repo_digests() override {
    const auto db = db_.lock();
    Query query = TRY(db->query(kRepoDigests));
    std::vector<RepoDigestRow> rows;
    while (TRY(query.next())) {
      RepoDigestRow row;
      row.config = TRY(query.digest(0));
      row.repository = query.text(1);
      row.manifest = TRY(query.digest(2));
      rows.push_back(std::move(row));
    }
    return rows;
  }

  Status put_image(const ImageRow& row) override {
    const GcLock root = TRY(GcLock::for_root(directory_));
    const auto db = db_.lock();
    return db->transaction([&]() -> Status {
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

  Result<std::vector<ResolvedRow>> resolved() override {
    const auto db = db_.lock();
    Query query = TRY(db->query(kResolved));
    std::vector<ResolvedRow> rows;
    while (TRY(query.next())) {
      ResolvedRow row;
      row.reference = query.text(0);
      row.platform = query.text(1);
      row.manifest = TRY(query.digest(2));
      rows.push_back(std::move(row));
    }
    return rows;
  }

  Status forget_resolved(const std::string& reference, const std::string& platform) override {
    const auto db = db_.lock();
    Query query = TRY(db->query(kForgetResolved));
    query.bind(reference).bind(platform);
    return wrote(*db, query);
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
    return std::optional(TRY(read_http_file(query)));
  }

  Result<std::vector<HttpFileRow>> http_files() override {
    const auto db = db_.lock();
    Query query = TRY(db->query(kHttpFiles));
    std::vector<HttpFileRow> rows;
    while (TRY(query.next())) {
      rows.push_back(TRY(read_http_file(query)));
    }
    return rows;
  }

  Status forget_http_file(const Digest& request) override {
    const auto db = db_.lock();
    Query query = TRY(db->query(kForgetHttpFile));
    query.bind(request);
    return wrote(*db, query);
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

  Result<std::vector<GitTreeRow>> git_trees() override {
    const auto db = db_.lock();
    Query query = TRY(db->query(kGitTrees));
    std::vector<GitTreeRow> rows;
    while (TRY(query.next())) {
      GitTreeRow row;
      row.key = TRY(query.digest(0));
      row.diff_id = TRY(query.digest(1));
      row.time = query.integer(2);
      rows.push_back(row);
    }
    return rows;
  }

  Status put_known_build(const Digest& key, const std::string& body) override {
    const auto db = db_.lock();
    return db->transaction([&]() -> Status {
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

  Status put_records(std::span<const RecordRow> rows) override {
    const auto db = db_.lock();
    return db->transaction([&]() -> Status {
      for (const RecordRow& row : rows) {
        Query query = TRY(db->query(kPutRecord));
        query.bind(row.definition_key).bind(row.content_key).bind(row.output).bind(row.body);
        TRY(query.bind(row.created).bind(row.layer).run());
      }
      return {};
    });
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

  Result<std::uint64_t> record_count() override {
    const auto db = db_.lock();
    Query query = TRY(db->query(kRecordCount));
    const bool counted = TRY(query.next());
    return counted ? static_cast<std::uint64_t>(query.integer(0)) : 0;
  }
  Status forget_records() override {
    const auto db = db_.lock();
    Query query = TRY(db->query(kForgetRecords));
    return wrote(*db, query);
  }

  Status forget_records_since(std::int64_t time) override {
    const auto db = db_.lock();
    return db->transaction([&]() -> Status {
      Query records = TRY(db->query(kForgetRecordsSince));
      TRY(records.bind(time).run());
      Query builds = TRY(db->query(kForgetKnownBuilds));
      return builds.run();
    });
  }

  BuildTables& builds() override { return *builds_; }
  TreeTable& trees() override { return *trees_; }

 private:
  static Status wrote(SqliteConnection& db, Query& query) {
    TRY(query.run());
    db.fold_long_log();
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

  static Result<HttpFileRow> read_http_file(const Query& query) {
    HttpFileRow row;
    row.content = TRY(query.digest(0));
    row.size = static_cast<std::uint64_t>(query.integer(1));
    row.etag = query.text(2);
    row.last_modified = query.text(3);
    row.created = query.integer(4);
    row.request = TRY(query.digest(5));
    return row;
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

  const std::string directory_;
  Guarded<SqliteConnection> db_;
  const std::unique_ptr<BuildTables> builds_;
  const std::unique_ptr<TreeTable> trees_;
};

}  // namespace

Result<std::unique_ptr<Metadata>> Metadata::open(const std::string& path, const Warn& warn) {
  SqliteConnection db = TRY(open_database(path, warn));
  return std::unique_ptr<Metadata>(
      std::make_unique<SqliteMetadata>(std::move(db), path.substr(0, path.rfind('/'))));
}

}  // namespace mybuild::snapshotter
