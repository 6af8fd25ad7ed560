// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/store/sqlite_record_parts.h"

#include <algorithm>

namespace mybuild::cache_server {

namespace {

using snapshotter::Query;

/// What an answer holds besides records: keys and names of nine namespaces.
constexpr std::size_t kOtherBytes = 64 << 10;

}  // namespace

Status RecordFinder::find(const std::string& space, const LookupRequest& keys) {
  for (auto key = keys.contents.begin(); key != keys.contents.end() && !is_full(); ++key) {
    TRY(by_content(space, *key));
  }
  for (auto key = keys.definitions.begin(); key != keys.definitions.end() && !is_full(); ++key) {
    TRY(by_definition(space, *key));
  }
  return {};
}

// All definitions of one content have the same outcome.
Status RecordFinder::by_content(const std::string& space, const Digest& content) {
  Query query =
      TRY(db_.query("SELECT id, signature, body, kept_until FROM record WHERE content = ? AND "
                    "space = ? LIMIT 1"));
  query.bind(content).bind(space);
  if (TRY(query.next())) {
    add(space, query);
  }
  return {};
}

Status RecordFinder::by_definition(const std::string& space, const Digest& definition) {
  Query query = TRY(db_.query(
      "SELECT id, signature, body, kept_until FROM record WHERE definition = ? AND space = ? "
      "ORDER BY created DESC LIMIT ?"));
  query.bind(definition).bind(space).bind(static_cast<std::uint64_t>(kMaxRecordsPerKey));
  while (TRY(query.next())) {
    add(space, query);
  }
  return {};
}

void RecordFinder::add(const std::string& space, const Query& row) {
  if (is_full() || !ids_.insert(row.integer(0)).second) {
    return;
  }
  found_.push_back({.id = row.integer(0),
                    .kept_until = row.integer(3),
                    .record = {.space = space, .body = row.text(2), .signature = row.bytes(1)}});
  bytes_ += message_bytes(found_.back().record);
}

bool RecordFinder::is_full() const {
  return bytes_ + kOtherBytes + 2 * kMaxRecordBytes > kMaxMessageBytes;
}

Result<std::vector<std::int64_t>> promise_records(snapshotter::SqliteConnection& db,
                                                  std::span<const std::int64_t> ids,
                                                  std::int64_t now, std::int64_t promised) {
  // Kept for longer than was asked, so that it is seldom written down.
  const std::int64_t until = promised + (promised - now) / 4;
  std::vector<std::int64_t> gone;
  for (const std::int64_t id : ids) {
    {
      Query query = TRY(
          db.query("UPDATE record SET kept_until = max(kept_until, ?) WHERE id = ? RETURNING id"));
      if (!TRY(query.bind(until).bind(id).next())) {
        gone.push_back(id);
        continue;
      }
    }
    Query query = TRY(db.query("UPDATE record_use SET last_used = max(last_used, ?) WHERE id = ?"));
    TRY(query.bind(now).bind(id).run());
  }
  return gone;
}

}  // namespace mybuild::cache_server
