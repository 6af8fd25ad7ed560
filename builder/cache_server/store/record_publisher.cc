// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/store/sqlite_record_parts.h"
#include "snapshotter/base/json.h"

namespace mybuild::cache_server {

namespace {

using snapshotter::Query;

PublishAnswer::One refused(std::string message) {
  return {.result = PublishResult::Refused, .message = std::move(message)};
}

std::string facts_text(const std::map<std::string, std::string>& facts) {
  return canonical_dump(Json(facts));
}

/// The outcome of `first`, which the same content gave, for who asks by the keys of `later`.
StepRecord with_outcome_of(const StepRecord& first, StepRecord later) {
  later.output = first.output;
  later.diff_id = first.diff_id;
  later.changes = first.changes;
  later.size = first.size;
  later.blob = first.blob;
  later.created = first.created;
  return later;
}

}  // namespace

Result<PublishAnswer::One> RecordPublisher::publish(const PublishedRecord& published) {
  std::string body;
  {
    Query query = TRY(db_.query("SELECT body FROM record WHERE content = ? AND space = ? LIMIT 1"));
    query.bind(published.record.content).bind(spaces_.front());
    if (TRY(query.next())) {
      body = query.text(0);
    }
  }
  if (!body.empty()) {
    return publish_again(published, TRY(parse_step_record(body)));
  }
  PublishAnswer::One result = TRY(link_blob(published.record.blob));
  if (result.result == PublishResult::Accepted) {
    TRY(insert(published.record, published.facts));
  }
  return result;
}

Result<PublishAnswer::One> RecordPublisher::publish_again(const PublishedRecord& published,
                                                          const StepRecord& first) {
  const StepRecord& record = published.record;
  if (!TRY(has_record(record))) {
    TRY(insert(with_outcome_of(first, record), published.facts));
  }
  if (record.output == first.output) {
    return PublishAnswer::One{.result = PublishResult::Known, .message = ""};
  }
  TRY(count_different());
  return PublishAnswer::One{
      .result = PublishResult::Different,
      .message = fmt::format("the same step gave {} before, and {} now: it is not deterministic",
                             first.output.str(), record.output.str())};
}

Result<bool> RecordPublisher::has_record(const StepRecord& record) {
  Query query =
      TRY(db_.query("SELECT 1 FROM record WHERE content = ? AND space = ? AND definition = ?"));
  return query.bind(record.content).bind(spaces_.front()).bind(record.definition).next();
}

/// Accepted when the blob is in the namespace, be it from now on; else why not.
Result<PublishAnswer::One> RecordPublisher::link_blob(const oci::Descriptor& blob) {
  for (const std::string& space : spaces_) {
    Query query = TRY(db_.query("SELECT size FROM blob_link WHERE space = ? AND blob = ?"));
    query.bind(space).bind(blob.digest);
    if (!TRY(query.next())) {
      continue;
    }
    const auto size = static_cast<std::uint64_t>(query.integer(0));
    if (size != blob.size) {
      return refused(
          fmt::format("its layer {} has {} bytes, not {}", blob.digest.str(), size, blob.size));
    }
    if (&space != &spaces_.front()) {
      TRY(add_link(blob));
    }
    return PublishAnswer::One{.result = PublishResult::Accepted, .message = ""};
  }
  return refused(fmt::format("its layer {} is not there", blob.digest.str()));
}

Status RecordPublisher::add_link(const oci::Descriptor& blob) {
  Query query =
      TRY(db_.query("INSERT INTO blob_link (space, blob, size, last_used) VALUES (?, ?, ?, ?)"));
  return query.bind(spaces_.front()).bind(blob.digest).bind(blob.size).bind(now_).run();
}

Status RecordPublisher::insert(const StepRecord& record,
                               const std::map<std::string, std::string>& facts) {
  const std::string body = dump(record);
  const std::string signature = TRY(sign_(body));
  {
    Query query = TRY(
        db_.query("INSERT INTO record (space, content, definition, output, blob, cost_ms, created, "
                  "kept_until, signature, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
    query.bind(spaces_.front()).bind(record.content).bind(record.definition).bind(record.output);
    query.bind(record.blob.digest).bind(record.cost_ms).bind(now_).bind(now_);
    TRY(query.bind_bytes(signature).bind(body).run());
  }
  {
    Query query =
        TRY(db_.query("INSERT INTO record_use (id, bytes, weight, last_used, kept_until) "
                      "VALUES (last_insert_rowid(), ?, ?, ?, ?)"));
    query.bind(record.blob.size).bind(eviction_weight(record.cost_ms, record.blob.size));
    TRY(query.bind(now_).bind(now_).run());
  }
  TRY(call_named(record.blob.digest));
  const std::string text = facts_text(facts);
  Query query =
      TRY(db_.query("INSERT INTO record_facts (id, space, step, facts) "
                    "VALUES (last_insert_rowid(), ?, ?, ?)"));
  return query.bind(spaces_.front()).bind(record.step).bind(text).run();
}

// RepositoryTables::kTimeToName is over for who brought the blob: else a cache that fills up within
// that time could let nothing go. Whoever finds it from now on has that time again.
Status RecordPublisher::call_named(const Digest& blob) {
  Query query =
      TRY(db_.query("UPDATE blob_link SET last_used = 0 WHERE space = ? AND blob = ? "
                    "AND uses = 1"));
  return query.bind(spaces_.front()).bind(blob).run();
}

Status RecordPublisher::count_different() {
  Query query = TRY(db_.query("UPDATE record_count SET different = different + 1"));
  return query.run();
}

}  // namespace mybuild::cache_server
