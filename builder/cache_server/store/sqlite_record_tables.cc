// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/store/sqlite_database.h"
#include "builder/cache_server/store/sqlite_record_parts.h"
#include "builder/cache_server/store/stored_time.h"
#include "snapshotter/base/log.h"

#include <algorithm>

namespace mybuild::cache_server {

namespace {

using snapshotter::Query;
using snapshotter::SqliteConnection;

/// Records of one transaction, so that who publishes does not wait for long.
constexpr std::size_t kEvictedAtOnce = 500;
constexpr std::size_t kPromisedAtOnce = 500;
constexpr std::size_t kRemovedAtOnce = 500;

/// Many questions about one moment: each alone would lock and unlock the log.
class Snapshot {
 public:
  static Result<Snapshot> begin(SqliteConnection& db) {
    TRY(db.run("BEGIN"));
    return Snapshot(db);
  }
  Snapshot(Snapshot&& other) noexcept : db_(std::exchange(other.db_, nullptr)) {}
  Snapshot& operator=(Snapshot&&) = delete;
  ~Snapshot() {
    if (db_ != nullptr) {
      (void)db_->run("COMMIT");
    }
  }

 private:
  explicit Snapshot(SqliteConnection& db) : db_(&db) {}
  SqliteConnection* db_;
};

/// In the order in which they came and lie on the disk.
std::vector<std::int64_t> not_promised(const std::vector<FoundRecord>& found,
                                       std::int64_t promised) {
  std::vector<std::int64_t> ids;
  for (const FoundRecord& each : found) {
    if (each.kept_until < promised) {
      ids.push_back(each.id);
    }
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

Result<std::uint64_t> count_rows(Query query) {
  std::uint64_t rows = 0;
  while (TRY(query.next())) {
    ++rows;
  }
  return rows;
}

class SqliteRecordTables final : public RecordTables {
 public:
  explicit SqliteRecordTables(SqliteDatabase& database) : database_(database) {}

  Result<PublishAnswer> publish(const std::vector<std::string>& spaces,
                                const std::vector<PublishedRecord>& records, const Sign& sign,
                                Time now) override {
    PublishAnswer answer;
    TRY(change([&](SqliteConnection& db) -> Status {
      RecordPublisher publisher(db, spaces, sign, stored_time(now));
      for (const PublishedRecord& record : records) {
        answer.results.push_back(TRY(publisher.publish(record)));
      }
      return {};
    }));
    return answer;
  }

  Result<std::vector<SignedRecord>> lookup(const std::vector<std::string>& spaces,
                                           const LookupRequest& keys, Time now,
                                           Time promised) override {
    std::vector<FoundRecord> found = TRY(find(spaces, keys));
    TRY(promise(found, stored_time(now), stored_time(promised)));
    std::vector<SignedRecord> records;
    records.reserve(found.size());
    for (FoundRecord& each : found) {
      records.push_back(std::move(each.record));
    }
    return records;
  }

  Result<std::optional<std::chrono::milliseconds>> cost(const std::vector<std::string>& spaces,
                                                        const Digest& definition) override {
    const auto db = database_.reader.lock();
    std::optional<std::chrono::milliseconds> longest;
    for (const std::string& space : spaces) {
      Query query =
          TRY(db->query("SELECT cost_ms FROM record WHERE definition = ? AND space = ? "
                        "ORDER BY created DESC LIMIT ?"));
      query.bind(definition).bind(space).bind(static_cast<std::uint64_t>(kMaxRecordsPerKey));
      while (TRY(query.next())) {
        const std::chrono::milliseconds cost(query.integer(0));
        longest = std::max(longest.value_or(cost), cost);
      }
    }
    return longest;
  }

  Result<ExplainAnswer> nearest(const std::vector<std::string>& spaces,
                                const ExplainRequest& request) override {
    const auto db = database_.reader.lock();
    ExplainAnswer answer;
    for (const std::string& space : spaces) {
      TRY(find_near(*db, space, request, answer));
    }
    return answer;
  }

  Result<bool> set_pin(const Pin& pin, bool is_pinned) override {
    return TRY(change_rows([&](SqliteConnection& db) -> Result<std::uint64_t> {
      Query query =
          TRY(db.query("UPDATE record_use SET pinned = ? WHERE id IN "
                       "(SELECT id FROM record WHERE content = ? AND space = ?) RETURNING id"));
      query.bind(std::int64_t{is_pinned}).bind(pin.content).bind(pin.space);
      return count_rows(std::move(query));
    }))
    > 0;
  }

  Result<std::vector<Pin>> pins() override {
    const auto db = database_.reader.lock();
    Query query =
        TRY(db->query("SELECT DISTINCT space, content FROM record_use JOIN record USING (id) "
                      "WHERE pinned = 1 ORDER BY space, content"));
    std::vector<Pin> pins;
    while (TRY(query.next())) {
      const Digest content = TRY(query.digest(1));
      pins.push_back({.space = query.text(0), .content = content});
    }
    return pins;
  }

  Result<std::uint64_t> remove_since(const std::string& space, Time since) override {
    std::uint64_t removed = 0;
    for (std::uint64_t some = 1; some > 0; removed += some) {
      some = TRY(change_rows([&](SqliteConnection& db) -> Result<std::uint64_t> {
        Query query =
            TRY(db.query("DELETE FROM record WHERE id IN (SELECT id FROM record WHERE space = ? "
                         "AND created >= ? AND NOT EXISTS (SELECT 1 FROM record_use AS used "
                         "WHERE used.id = record.id AND pinned = 1) LIMIT ?) RETURNING id"));
        query.bind(space).bind(stored_time(since));
        query.bind(static_cast<std::uint64_t>(kRemovedAtOnce));
        return count_rows(std::move(query));
      }));
    }
    return removed;
  }

  Result<std::uint64_t> remove_of_blob(const Digest& blob) override {
    return change_rows([&](SqliteConnection& db) -> Result<std::uint64_t> {
      Query query = TRY(db.query("DELETE FROM record WHERE blob = ? RETURNING id"));
      query.bind(blob);
      return count_rows(std::move(query));
    });
  }

  Result<std::uint64_t> evict(const Enough& enough, Time now,
                              const std::function<Result<bool>()>& go_on) override {
    RecordEviction eviction(enough, "", stored_time(now));
    EvictionOrder order(database_.reader, stored_time(now));
    while (!eviction.is_done()) {
      const std::vector<std::int64_t> ids = TRY(order.next(kEvictedAtOnce));
      if (ids.empty()) {
        break;
      }
      TRY(change([&](SqliteConnection& db) { return eviction.remove_some(db, ids); }));
      if (!TRY(go_on())) {
        break;
      }
    }
    return eviction.records();
  }

  Result<std::uint64_t> evict_of(const std::string& space, std::uint64_t enough, Time now,
                                 const std::function<Result<bool>()>& go_on) override {
    RecordEviction eviction({.blob_bytes = enough, .record_bytes = 0, .used_before = Time::max()},
                            space, stored_time(now));
    const std::vector<std::int64_t> ids = TRY(order_of(space, stored_time(now)));
    for (std::span<const std::int64_t> left(ids); !left.empty() && !eviction.is_done();) {
      const auto some = left.first(std::min(left.size(), kEvictedAtOnce));
      left = left.subspan(some.size());
      TRY(change([&](SqliteConnection& db) { return eviction.remove_some(db, some); }));
      if (!TRY(go_on())) {
        break;
      }
    }
    return eviction.records();
  }

  Result<Counts> counts() override {
    const auto db = database_.reader.lock();
    Query query = TRY(db->query("SELECT records, different, bytes FROM record_count"));
    TRY(query.next());
    return Counts{.records = static_cast<std::uint64_t>(query.integer(0)),
                  .different = static_cast<std::uint64_t>(query.integer(1)),
                  .bytes = static_cast<std::uint64_t>(query.integer(2))};
  }

 private:
  template <class Body>
  Status change(Body body) {
    const auto db = database_.writer.lock();
    return db->transaction([&] { return body(*db); });
  }

  /// For a body that says how many rows it changed.
  template <class Body>
  Result<std::uint64_t> change_rows(Body body) {
    std::uint64_t rows = 0;
    TRY(change([&](SqliteConnection& db) -> Status {
      rows = TRY(body(db));
      return {};
    }));
    return rows;
  }

  Result<std::vector<FoundRecord>> find(const std::vector<std::string>& spaces,
                                        const LookupRequest& keys) {
    const auto db = database_.reader.lock();
    const Snapshot snapshot = TRY(Snapshot::begin(*db));
    RecordFinder finder(*db);
    for (auto space = spaces.rbegin(); space != spaces.rend(); ++space) {
      TRY(finder.find(*space, keys));
    }
    return std::move(finder).take();
  }

  Result<std::vector<std::int64_t>> order_of(const std::string& space, std::int64_t now) {
    const auto db = database_.reader.lock();
    return eviction_order_of(*db, space, now);
  }

  /// Leaves out those that have gone. A server without room still serves: clients take a blob that
  /// has gone for a miss.
  Status promise(std::vector<FoundRecord>& found, std::int64_t now, std::int64_t promised) {
    const std::vector<std::int64_t> ids = not_promised(found, promised);
    std::unordered_set<std::int64_t> gone;
    for (std::span<const std::int64_t> left(ids); !left.empty();) {
      const auto some = left.first(std::min(left.size(), kPromisedAtOnce));
      left = left.subspan(some.size());
      const Status written = change([&](SqliteConnection& db) -> Status {
        const auto lost = TRY(promise_records(db, some, now, promised));
        gone.insert(lost.begin(), lost.end());
        return {};
      });
      if (!written && written.error().kind() != ErrorKind::Unavailable) {
        return written;
      }
      if (!written) {
        log::debug("records are found that may go soon: {}", written.error().message());
        break;
      }
    }
    std::erase_if(found, [&](const FoundRecord& each) { return gone.contains(each.id); });
    return {};
  }

  SqliteDatabase& database_;
};

}  // namespace

std::unique_ptr<RecordTables> make_record_tables(SqliteDatabase& database) {
  return std::make_unique<SqliteRecordTables>(database);
}

}  // namespace mybuild::cache_server
