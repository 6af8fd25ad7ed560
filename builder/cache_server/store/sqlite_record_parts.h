// SPDX-License-Identifier: Apache-2.0
// The parts of RecordTables in SQLite: what puts records in, finds them and lets them go. Each
// works on a connection that its caller holds, those that change something within a transaction.
// Times are in milliseconds since the epoch. Internal to the box. Thread-compatible.
#pragma once

#include "builder/cache_server/store/record_tables.h"
#include "snapshotter/base/guarded.h"
#include "snapshotter/sqlite.h"

#include <array>
#include <cstdint>
#include <deque>
#include <limits>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace mybuild::cache_server {

/// Puts the records of one request into the first of `spaces`.
class RecordPublisher {
 public:
  RecordPublisher(snapshotter::SqliteConnection& db, const std::vector<std::string>& spaces,
                  const Sign& sign, std::int64_t now)
      : db_(db), spaces_(spaces), sign_(sign), now_(now) {}
  Result<PublishAnswer::One> publish(const PublishedRecord& published);

 private:
  Result<PublishAnswer::One> publish_again(const PublishedRecord& published,
                                           const StepRecord& first);
  Result<bool> has_record(const StepRecord& record);
  Result<PublishAnswer::One> link_blob(const oci::Descriptor& blob);
  Status add_link(const oci::Descriptor& blob);
  Status insert(const StepRecord& record, const std::map<std::string, std::string>& facts);
  /// A blob that nothing but this record has named.
  Status call_named(const Digest& blob);
  Status count_different();

  snapshotter::SqliteConnection& db_;
  const std::vector<std::string>& spaces_;
  const Sign& sign_;
  const std::int64_t now_;
};

struct FoundRecord {
  std::int64_t id = 0;
  std::int64_t kept_until = 0;
  SignedRecord record;
};

/// Finds records, each once, until they would be too long for an answer.
class RecordFinder {
 public:
  explicit RecordFinder(snapshotter::SqliteConnection& db) : db_(db) {}
  Status find(const std::string& space, const LookupRequest& keys);
  std::vector<FoundRecord> take() && { return std::move(found_); }

 private:
  Status by_content(const std::string& space, const Digest& content);
  Status by_definition(const std::string& space, const Digest& definition);
  void add(const std::string& space, const snapshotter::Query& row);
  bool is_full() const;

  snapshotter::SqliteConnection& db_;
  std::vector<FoundRecord> found_;
  std::unordered_set<std::int64_t> ids_;
  std::size_t bytes_ = 0;
};

/// Keeps these until `promised`; returns those that have gone.
Result<std::vector<std::int64_t>> promise_records(snapshotter::SqliteConnection& db,
                                                  std::span<const std::int64_t> ids,
                                                  std::int64_t now, std::int64_t promised);

/// Of one namespace, those of that step; `nearest` keeps the best of all that it is shown.
Status find_near(snapshotter::SqliteConnection& db, const std::string& space,
                 const ExplainRequest& request, ExplainAnswer& nearest);

/// How long a record is kept without use, in proportion to others: 1 for what is quickly made and
/// large, kMaxWeight for what takes long and is small, by the seconds per byte on a logarithmic
/// scale. So age rules, and a cost that is wrong, or a lie, buys eight times the time and no more.
inline constexpr std::int64_t kMaxWeight = 8;
std::int64_t eviction_weight(std::uint64_t cost_ms, std::uint64_t bytes);

/// Ids of records that are neither pinned nor promised, worth least first: the longest time since
/// the last use, divided by the weight. Walks along one index for each weight, a page at a time; so
/// what it costs is what it gives, and records that were promised lately.
class EvictionOrder {
 public:
  /// `reader` outlives it and is locked for one page.
  EvictionOrder(Guarded<snapshotter::SqliteConnection>& reader, std::int64_t now)
      : reader_(reader), now_(now) {}
  /// Fewer than `count` only at the end.
  Result<std::vector<std::int64_t>> next(std::size_t count);

 private:
  struct Row {
    std::int64_t last_used = std::numeric_limits<std::int64_t>::min();
    std::int64_t id = 0;
  };
  struct Stream {
    std::deque<Row> ahead;
    Row last_read;
    bool is_read_up = false;
  };
  Status read_page(std::int64_t weight, Stream& stream);
  double age_of(std::int64_t weight, const Row& row) const;
  /// Of the stream with the oldest row, which is not empty then; the end when all are over.
  Result<Stream*> oldest();

  Guarded<snapshotter::SqliteConnection>& reader_;
  const std::int64_t now_;
  std::array<Stream, kMaxWeight> streams_;  // that of weight 1 first
};

/// All of one namespace in that order.
Result<std::vector<std::int64_t>> eviction_order_of(snapshotter::SqliteConnection& db,
                                                    const std::string& space, std::int64_t now);

/// One call of RecordTables::evict() or evict_of(), in several transactions.
class RecordEviction {
 public:
  /// `space`: of one namespace, or of all with "".
  RecordEviction(RecordTables::Enough enough, std::string space, std::int64_t now)
      : enough_(enough), space_(std::move(space)), now_(now) {}
  bool is_done() const {
    return freed_.blob_bytes >= enough_.blob_bytes && freed_.record_bytes >= enough_.record_bytes;
  }
  std::uint64_t records() const { return records_; }
  /// Those of these that may go, until it is enough. A blob that nothing needs any more counts as
  /// unused from now on.
  Status remove_some(snapshotter::SqliteConnection& db, std::span<const std::int64_t> ids);

 private:
  Status remove(snapshotter::SqliteConnection& db, std::int64_t id);
  Result<bool> frees_nothing(snapshotter::SqliteConnection& db, const Digest& blob);

  const RecordTables::Enough enough_;
  const std::string space_;
  const std::int64_t now_;
  std::uint64_t records_ = 0;
  RecordTables::Enough freed_;
  std::unordered_map<Digest, bool> frees_nothing_;  // asked once: one layer may have most records
};

}  // namespace mybuild::cache_server
