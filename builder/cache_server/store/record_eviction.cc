// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/store/sqlite_record_parts.h"

namespace mybuild::cache_server {

namespace {

using snapshotter::Query;
using snapshotter::SqliteConnection;

/// Of one transaction, so that who publishes does not wait for long.
constexpr std::uint64_t kBatch = 500;

Result<bool> remove_if_unused(SqliteConnection& db, std::int64_t id, std::int64_t now) {
  Query query =
      TRY(db.query("DELETE FROM record WHERE id = ?1 AND EXISTS (SELECT 1 FROM record_use "
                   "WHERE id = ?1 AND pinned = 0 AND kept_until <= ?2) RETURNING id"));
  return query.bind(id).bind(now).next();
}

Result<bool> is_needed(SqliteConnection& db, const Digest& blob) {
  Query query = TRY(db.query("SELECT 1 FROM blob_link WHERE blob = ? AND uses > 0 LIMIT 1"));
  return query.bind(blob).next();
}

}  // namespace

// What a second of building it anew is worth per byte and per time since the last use. A second is
// added, as what cost nothing is asked for in vain, too.
Result<std::vector<EvictionCandidate>> eviction_candidates(SqliteConnection& db, std::int64_t now,
                                                           std::size_t limit) {
  Query query =
      TRY(db.query("SELECT id, record.blob, bytes FROM (SELECT id, bytes FROM record_use "
                   "WHERE pinned = 0 AND kept_until <= ?1 "
                   "ORDER BY (cost_ms + 1000.0) / ((bytes + 4096.0) * max(?1 - last_used, 1)), id "
                   "LIMIT ?2) JOIN record USING (id)"));
  query.bind(now).bind(static_cast<std::uint64_t>(limit));
  std::vector<EvictionCandidate> candidates;
  while (TRY(query.next())) {
    const Digest blob = TRY(query.digest(1));
    candidates.push_back({.id = query.integer(0),
                          .blob = blob,
                          .bytes = static_cast<std::uint64_t>(query.integer(2))});
  }
  return candidates;
}

/// An image, a pin or a promise, of a record or of the blob itself, keeps it: its records would go
/// in vain.
Result<bool> RecordEviction::frees_nothing(SqliteConnection& db, const Digest& blob) {
  const auto known = frees_nothing_.find(blob);
  if (known != frees_nothing_.end()) {
    return known->second;
  }
  Query query =
      TRY(db.query("SELECT EXISTS (SELECT 1 FROM record JOIN record_use USING (id) WHERE blob = ?1 "
                   "AND (pinned = 1 OR record_use.kept_until > ?2)) OR "
                   "(SELECT total(uses) FROM blob_link WHERE blob = ?1) > "
                   "(SELECT count(*) FROM record WHERE blob = ?1) OR "
                   "EXISTS (SELECT 1 FROM blob_link WHERE blob = ?1 AND kept_until > ?2)"));
  query.bind(blob).bind(now_);
  TRY(query.next());
  return frees_nothing_[blob] = query.integer(0) != 0;
}

Status RecordEviction::remove_some(SqliteConnection& db,
                                   const std::vector<EvictionCandidate>& candidates,
                                   std::size_t& next) {
  for (std::uint64_t seen = 0; next < candidates.size() && seen < kBatch && !is_done(); ++seen) {
    const EvictionCandidate& candidate = candidates[next++];
    if (TRY(frees_nothing(db, candidate.blob)) || !TRY(remove_if_unused(db, candidate.id, now_))) {
      continue;
    }
    ++records_;
    if (!TRY(is_needed(db, candidate.blob))) {
      bytes_ += candidate.bytes;
    }
  }
  return {};
}

}  // namespace mybuild::cache_server
