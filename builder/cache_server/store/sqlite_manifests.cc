// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/store/sqlite_manifests.h"

#include "snapshotter/base/json.h"

namespace mybuild::cache_server {

namespace {

using snapshotter::Query;
using snapshotter::SqliteConnection;

Result<bool> is_linked_in(SqliteConnection& db, const std::string& space, const Digest& blob) {
  Query query = TRY(db.query("SELECT 1 FROM blob_link WHERE space = ? AND blob = ?"));
  return query.bind(space).bind(blob).next();
}

Result<std::optional<std::int64_t>> find_id(SqliteConnection& db, const std::string& repository,
                                            const Digest& digest) {
  Query query = TRY(db.query("SELECT id FROM manifest WHERE repository = ? AND digest = ?"));
  query.bind(repository).bind(digest);
  return TRY(query.next())
  ? std::optional(query.integer(0)) : std::nullopt;
}

Status check_parts(SqliteConnection& db, const ManifestRow& manifest) {
  std::vector<Digest> blobs = manifest.blobs;
  blobs.push_back(manifest.digest);
  for (const Digest& blob : blobs) {
    if (!TRY(is_linked_in(db, manifest.space, blob))) {
      return not_found("blob {} is not there", blob.str());
    }
  }
  for (const Digest& child : manifest.manifests) {
    if (!TRY(find_id(db, manifest.repository, child))) {
      return not_found("manifest {} is not in repository {}", child.str(), manifest.repository);
    }
  }
  return {};
}

Result<std::int64_t> insert_manifest(SqliteConnection& db, const ManifestRow& manifest,
                                     std::int64_t now) {
  const std::string annotations = canonical_dump(Json(manifest.annotations));
  Query query =
      TRY(db.query("INSERT INTO manifest (repository, digest, space, media_type, size, subject, "
                   "artifact_type, annotations, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
                   "RETURNING id"));
  query.bind(manifest.repository).bind(manifest.digest).bind(manifest.space);
  query.bind(manifest.media_type).bind(manifest.size).bind(manifest.subject);
  query.bind(manifest.artifact_type).bind(annotations).bind(now);
  if (!TRY(query.next())) {
    return internal_error("a manifest was not stored");
  }
  return query.integer(0);
}

// Layers may repeat within one manifest; it needs each once.
Status insert_parts(SqliteConnection& db, std::int64_t id, const ManifestRow& manifest) {
  for (const Digest& blob : manifest.blobs) {
    Query query = TRY(
        db.query("INSERT OR IGNORE INTO manifest_blob (manifest, blob, space) VALUES (?, ?, ?)"));
    TRY(query.bind(id).bind(blob).bind(manifest.space).run());
  }
  for (const Digest& child : manifest.manifests) {
    Query query = TRY(db.query(
        "INSERT OR IGNORE INTO manifest_manifest (manifest, repository, child) VALUES (?, ?, ?)"));
    TRY(query.bind(id).bind(manifest.repository).bind(child).run());
  }
  return {};
}

Result<ManifestRow> read_manifest(const Query& query) {
  ManifestRow row;
  row.repository = query.text(1);
  row.digest = TRY(query.digest(2));
  row.space = query.text(3);
  row.media_type = query.text(4);
  row.size = static_cast<std::uint64_t>(query.integer(5));
  row.subject = TRY(query.optional_digest(6));
  row.artifact_type = query.text(7);
  const Json annotations = TRY(parse_json(query.text(8)).context("annotations of a manifest"));
  row.annotations = TRY(JsonField(annotations, "annotations").string_map());
  return row;
}

Result<std::vector<Digest>> read_digests(Query query) {
  std::vector<Digest> digests;
  while (TRY(query.next())) {
    digests.push_back(TRY(query.digest(0)));
  }
  return digests;
}

}  // namespace

Status put_manifest_row(SqliteConnection& db, const ManifestRow& manifest, const std::string& tag,
                        std::int64_t now) {
  TRY(check_parts(db, manifest));
  if (!TRY(find_id(db, manifest.repository, manifest.digest))) {
    const std::int64_t id = TRY(insert_manifest(db, manifest, now));
    TRY(insert_parts(db, id, manifest));
  }
  if (tag.empty()) {
    return {};
  }
  Query query =
      TRY(db.query("INSERT OR REPLACE INTO tag (repository, name, digest, updated) "
                   "VALUES (?, ?, ?, ?)"));
  return query.bind(manifest.repository).bind(tag).bind(manifest.digest).bind(now).run();
}

Result<bool> remove_manifest_row(SqliteConnection& db, const std::string& repository,
                                 const Digest& digest) {
  Query parent =
      TRY(db.query("SELECT p.digest FROM manifest_manifest m JOIN manifest p ON p.id = m.manifest "
                   "WHERE m.repository = ? AND m.child = ?"));
  if (TRY(parent.bind(repository).bind(digest).next())) {
    const Digest needed_by = TRY(parent.digest(0));
    return make_error(ErrorKind::Denied, "manifest {} is needed by {}", digest.str(),
                      needed_by.str());
  }
  Query tags = TRY(db.query("DELETE FROM tag WHERE repository = ? AND digest = ?"));
  TRY(tags.bind(repository).bind(digest).run());
  Query query =
      TRY(db.query("DELETE FROM manifest WHERE repository = ? AND digest = ? RETURNING id"));
  return query.bind(repository).bind(digest).next();
}

Result<std::optional<ManifestRow>> find_manifest_row(SqliteConnection& db,
                                                     const std::string& repository,
                                                     const Digest& digest) {
  Query query = TRY(
      db.query("SELECT id, repository, digest, space, media_type, size, subject, artifact_type, "
               "annotations FROM manifest WHERE repository = ? AND digest = ?"));
  query.bind(repository).bind(digest);
  if (!TRY(query.next())) {
    return std::optional<ManifestRow>();
  }
  ManifestRow row = TRY(read_manifest(query));
  const std::int64_t id = query.integer(0);
  Query blobs = TRY(db.query("SELECT blob FROM manifest_blob WHERE manifest = ?"));
  blobs.bind(id);
  row.blobs = TRY(read_digests(std::move(blobs)));
  Query children = TRY(db.query("SELECT child FROM manifest_manifest WHERE manifest = ?"));
  children.bind(id);
  row.manifests = TRY(read_digests(std::move(children)));
  return std::optional(std::move(row));
}

Result<std::vector<ManifestRow>> referrer_rows(SqliteConnection& db, const std::string& repository,
                                               const Digest& subject,
                                               const std::string& artifact_type, const Digest& last,
                                               std::size_t limit) {
  Query query = TRY(
      db.query("SELECT id, repository, digest, space, media_type, size, subject, artifact_type, "
               "annotations FROM manifest WHERE repository = ?1 AND subject = ?2 AND digest > ?3 "
               "AND (?4 = '' OR artifact_type = ?4) ORDER BY digest LIMIT ?5"));
  query.bind(repository).bind(subject).bind(last).bind(artifact_type);
  query.bind(static_cast<std::uint64_t>(limit));
  std::vector<ManifestRow> rows;
  while (TRY(query.next())) {
    rows.push_back(TRY(read_manifest(query)));
  }
  return rows;
}

}  // namespace mybuild::cache_server
