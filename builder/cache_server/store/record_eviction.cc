// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/store/repository_tables.h"
#include "builder/cache_server/store/sqlite_record_parts.h"
#include "builder/cache_server/store/stored_time.h"

namespace mybuild::cache_server {

namespace {

using snapshotter::Query;
using snapshotter::SqliteConnection;

constexpr std::int64_t kInUse = std::chrono::milliseconds(RepositoryTables::kInUse).count();

Result<bool> remove_if_unused(SqliteConnection& db, std::int64_t id, std::int64_t now) {
  Query query =
      TRY(db.query("DELETE FROM record WHERE id = ?1 AND EXISTS (SELECT 1 FROM record_use "
                   "WHERE id = ?1 AND pinned = 0 AND kept_until <= ?2) RETURNING id"));
  return query.bind(id).bind(now).next();
}

Result<bool> is_needed(SqliteConnection& db, const Digest& blob, const std::string& space) {
  Query query =
      TRY(db.query("SELECT 1 FROM blob_link WHERE blob = ?1 AND uses > 0 AND "
                   "(?2 = '' OR space = ?2) LIMIT 1"));
  return query.bind(blob).bind(space).next();
}

Result<std::uint64_t> record_bytes(SqliteConnection& db) {
  Query query = TRY(db.query("SELECT bytes FROM record_count"));
  TRY(query.next());
  return static_cast<std::uint64_t>(query.integer(0));
}

Status call_unused(SqliteConnection& db, const Digest& blob, const std::string& space) {
  Query query =
      TRY(db.query("UPDATE blob_link SET last_used = 0 WHERE blob = ?1 AND "
                   "(?2 = '' OR space = ?2)"));
  return query.bind(blob).bind(space).run();
}

}  // namespace

/// An image, a pin or a promise, of a record or of the blob itself, keeps it: its records would go
/// in vain.
Result<bool> RecordEviction::frees_nothing(SqliteConnection& db, const Digest& blob) {
  const auto known = frees_nothing_.find(blob);
  if (known != frees_nothing_.end()) {
    return known->second;
  }
  Query query = TRY(
      db.query("SELECT EXISTS (SELECT 1 FROM record JOIN record_use USING (id) WHERE blob = ?1 "
               "AND (?4 = '' OR space = ?4) AND (pinned = 1 OR record_use.kept_until > ?2)) OR "
               "(SELECT total(uses) FROM blob_link WHERE blob = ?1 AND (?4 = '' OR space = ?4)) "
               "> (SELECT count(*) FROM record WHERE blob = ?1 AND (?4 = '' OR space = ?4)) OR "
               "EXISTS (SELECT 1 FROM blob_link WHERE blob = ?1 AND (?4 = '' OR space = ?4) "
               "AND last_used > ?3)"));
  query.bind(blob).bind(now_).bind(now_ - kInUse).bind(space_);
  TRY(query.next());
  return frees_nothing_[blob] = query.integer(0) != 0;
}

Status RecordEviction::remove(SqliteConnection& db, std::int64_t id) {
  Digest blob;
  std::uint64_t blob_bytes = 0;
  std::int64_t last_used = 0;
  {
    Query query =
        TRY(db.query("SELECT blob, bytes, last_used FROM record JOIN record_use USING (id) "
                     "WHERE id = ?"));
    if (!TRY(query.bind(id).next())) {
      return {};
    }
    blob = TRY(query.digest(0));
    blob_bytes = static_cast<std::uint64_t>(query.integer(1));
    last_used = query.integer(2);
  }
  const bool is_for_itself = freed_.record_bytes < enough_.record_bytes;
  if (!is_for_itself) {
    const bool stays = last_used >= stored_time(enough_.used_before);
    if (stays || TRY(frees_nothing(db, blob))) {
      return {};
    }
  }
  const std::uint64_t before = TRY(record_bytes(db));
  if (!TRY(remove_if_unused(db, id, now_))) {
    return {};
  }
  ++records_;
  freed_.record_bytes += before - TRY(record_bytes(db));
  if (!TRY(is_needed(db, blob, space_))) {
    freed_.blob_bytes += blob_bytes;
    TRY(call_unused(db, blob, space_));
  }
  return {};
}

Status RecordEviction::remove_some(SqliteConnection& db, std::span<const std::int64_t> ids) {
  for (auto id = ids.begin(); id != ids.end() && !is_done(); ++id) {
    TRY(remove(db, *id));
  }
  return {};
}

}  // namespace mybuild::cache_server
