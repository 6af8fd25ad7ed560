// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/build_tables.h"

#include "snapshotter/build_tables_sqlite.h"

namespace mybuild::snapshotter {

namespace {

constexpr const char* kAddBuild =
    "INSERT INTO builds(id, created, last, repeats, duration, subject, image, error, outcomes, "
    "part) VALUES(?,?,?,?,?,?,?,?,?,?)";
constexpr const char* kDropOldBuilds =
    "DELETE FROM builds WHERE number <= "
    "(SELECT number FROM builds ORDER BY number DESC LIMIT 1 OFFSET ?)";
constexpr const char* kRepeatBuild =
    "UPDATE builds SET repeats = repeats + 1, last = ?, duration = ? WHERE number = ?";
constexpr const char* kNewestBuild =
    "SELECT number, id, created, last, repeats, duration, subject, image, error, outcomes, part "
    "FROM builds ORDER BY number DESC LIMIT 1";
constexpr const char* kBuilds =
    "SELECT number, id, created, last, repeats, duration, subject, image, error, outcomes, part "
    "FROM builds ORDER BY number DESC";
constexpr const char* kHasPart = "SELECT 1 FROM build_parts WHERE digest = ?";
constexpr const char* kPutPart =
    "INSERT OR IGNORE INTO build_parts(digest, size, body) VALUES(?,?,?)";
constexpr const char* kFindPart = "SELECT body FROM build_parts WHERE digest = ?";
constexpr const char* kPartSizes =
    "SELECT id, size FROM build_parts INDEXED BY build_parts_by_age ORDER BY id DESC";
constexpr const char* kDropParts = "DELETE FROM build_parts WHERE id <= ?";

Result<BuildRow> read_row(const Query& query) {
  BuildRow row;
  row.number = query.integer(0);
  row.id = query.text(1);
  row.created = query.integer(2);
  row.last = query.integer(3);
  row.repeats = static_cast<std::uint64_t>(query.integer(4));
  row.duration = query.integer(5);
  row.subject = query.text(6);
  row.image = query.text(7);
  row.error = query.text(8);
  row.outcomes = query.text(9);
  row.part = TRY(query.optional_digest(10));
  return row;
}

class SqliteBuildTables final : public BuildTables {
 public:
  SqliteBuildTables(Guarded<SqliteConnection>& db, BuildLimits limits) : db_(db), limits_(limits) {}

  Status add_build(const BuildRow& row) override {
    const auto db = db_.lock();
    {
      Query query = TRY(db->query(kAddBuild));
      query.bind(row.id).bind(row.created).bind(row.last).bind(row.repeats).bind(row.duration);
      query.bind(row.subject).bind(row.image).bind(row.error).bind(row.outcomes).bind(row.part);
      TRY(query.run());
    }
    Query drop = TRY(db->query(kDropOldBuilds));
    return drop.bind(limits_.builds).run();
  }

  Status repeat_build(std::int64_t number, std::int64_t last, std::int64_t duration) override {
    const auto db = db_.lock();
    Query query = TRY(db->query(kRepeatBuild));
    return query.bind(last).bind(duration).bind(number).run();
  }

  Result<std::optional<BuildRow>> newest_build() override {
    const auto db = db_.lock();
    Query query = TRY(db->query(kNewestBuild));
    if (!TRY(query.next())) {
      return std::optional<BuildRow>();
    }
    return std::optional(TRY(read_row(query)));
  }

  Result<std::vector<BuildRow>> builds() override {
    const auto db = db_.lock();
    Query query = TRY(db->query(kBuilds));
    std::vector<BuildRow> rows;
    while (TRY(query.next())) {
      rows.push_back(TRY(read_row(query)));
    }
    return rows;
  }

  Result<bool> has_part(const Digest& digest) override {
    const auto db = db_.lock();
    Query query = TRY(db->query(kHasPart));
    return query.bind(digest).next();
  }

  Status put_part(const Digest& digest, std::string_view body) override {
    const auto db = db_.lock();
    {
      Query query = TRY(db->query(kPutPart));
      TRY(query.bind(digest).bind(std::uint64_t{body.size()}).bind_bytes(body).run());
    }
    return drop_old_parts(*db);
  }

  Result<std::optional<std::string>> find_part(const Digest& digest) override {
    const auto db = db_.lock();
    Query query = TRY(db->query(kFindPart));
    query.bind(digest);
    if (!TRY(query.next())) {
      return std::optional<std::string>();
    }
    return std::optional(query.bytes(0));
  }

 private:
  Status drop_old_parts(SqliteConnection& db) const {
    std::optional<std::int64_t> last;
    {
      Query query = TRY(db.query(kPartSizes));
      std::uint64_t count = 0;
      std::uint64_t bytes = 0;
      while (!last && TRY(query.next())) {
        bytes += static_cast<std::uint64_t>(query.integer(1));
        ++count;
        if (bytes > limits_.part_bytes || count > limits_.parts) {
          last = query.integer(0);
        }
      }
    }
    if (!last) {
      return {};
    }
    Query drop = TRY(db.query(kDropParts));
    return drop.bind(*last).run();
  }

  Guarded<SqliteConnection>& db_;
  const BuildLimits limits_;
};

}  // namespace

std::unique_ptr<BuildTables> make_build_tables(Guarded<SqliteConnection>& db, BuildLimits limits) {
  return std::make_unique<SqliteBuildTables>(db, limits);
}

}  // namespace mybuild::snapshotter
