// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/store/sqlite_database.h"
#include "builder/cache_server/store/stored_time.h"

namespace mybuild::cache_server {

const char kAccessSchema[] = R"sql(
CREATE TABLE space (
  name TEXT PRIMARY KEY,
  parent TEXT NOT NULL,
  seed BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE token (
  id TEXT PRIMARY KEY,
  secret BLOB NOT NULL UNIQUE,
  space TEXT NOT NULL,
  scopes INTEGER NOT NULL,
  note TEXT NOT NULL,
  created INTEGER NOT NULL,
  expires INTEGER,
  revoked INTEGER
);
)sql";

namespace {

using snapshotter::Query;
using snapshotter::SqliteConnection;

constexpr std::size_t kMaxAncestors = 8;

Result<std::optional<SpaceRow>> find_space_in(SqliteConnection& db, const std::string& name) {
  Query query = TRY(db.query("SELECT name, parent, seed FROM space WHERE name = ?"));
  query.bind(name);
  if (!TRY(query.next())) {
    return std::optional<SpaceRow>();
  }
  return std::optional(
      SpaceRow{.name = query.text(0), .parent = query.text(1), .seed = query.bytes(2)});
}

// Parents come first and stay what they are, so there is no circle.
Result<std::vector<SpaceRow>> lineage_in(SqliteConnection& db, const std::string& name) {
  std::vector<SpaceRow> lineage;
  for (std::string next = name; !next.empty();) {
    std::optional<SpaceRow> row = TRY(find_space_in(db, next));
    if (!row) {
      break;
    }
    next = row->parent;
    lineage.push_back(std::move(*row));
  }
  return lineage;
}

Status check_parent(SqliteConnection& db, const std::string& parent) {
  if (parent.empty()) {
    return {};
  }
  const std::vector<SpaceRow> ancestors = TRY(lineage_in(db, parent));
  if (ancestors.empty()) {
    return not_found("namespace {} does not exist", parent);
  }
  if (ancestors.size() > kMaxAncestors) {
    return invalid_argument("namespace {} has {} above it, which is the limit", parent,
                            kMaxAncestors);
  }
  return {};
}

std::optional<Time> optional_time(const Query& query, int column) {
  const std::string text = query.text(column);
  return text.empty() ? std::nullopt : std::optional(time_of(query.integer(column)));
}

Result<TokenRow> read_token(const Query& query) {
  TokenRow row;
  row.id = query.text(0);
  row.secret = TRY(query.digest(1));
  row.space = query.text(2);
  row.scopes = static_cast<std::uint8_t>(query.integer(3));
  row.note = query.text(4);
  row.created = time_of(query.integer(5));
  row.expires = optional_time(query, 6);
  row.revoked = optional_time(query, 7);
  return row;
}

class SqliteAccessTables final : public AccessTables {
 public:
  explicit SqliteAccessTables(SqliteDatabase& database) : database_(database) {}

  Status add_space(const SpaceRow& space) override {
    const auto db = database_.writer.lock();
    return folded(*db, [&]() -> Status {
      if (const auto known = TRY(find_space_in(*db, space.name))) {
        return known->parent == space.parent
                   ? Status()
                   : make_error(ErrorKind::AlreadyExists, "namespace {} stands below {}",
                                space.name, known->parent.empty() ? "none" : known->parent);
      }
      TRY(check_parent(*db, space.parent));
      return TRY(db->query("INSERT INTO space (name, parent, seed) VALUES (?, ?, ?)"))
      .bind(space.name).bind(space.parent).bind_bytes(space.seed).run();
    });
  }

  Result<std::optional<SpaceRow>> find_space(const std::string& name) override {
    const auto db = database_.reader.lock();
    return find_space_in(*db, name);
  }

  Result<std::vector<SpaceRow>> lineage(const std::string& name) override {
    const auto db = database_.reader.lock();
    return lineage_in(*db, name);
  }

  Result<std::string> space_of(const std::string& repository) override {
    const auto db = database_.reader.lock();
    std::string name = repository;
    while (!TRY(find_space_in(*db, name))) {
      const std::size_t slash = name.rfind('/');
      if (slash == std::string::npos) {
        return std::string();
      }
      name.resize(slash);
    }
    return name;
  }

  Result<std::vector<SpaceRow>> spaces() override {
    const auto db = database_.reader.lock();
    Query query = TRY(db->query("SELECT name, parent, seed FROM space ORDER BY name"));
    std::vector<SpaceRow> rows;
    while (TRY(query.next())) {
      rows.push_back({.name = query.text(0), .parent = query.text(1), .seed = query.bytes(2)});
    }
    return rows;
  }

  Status add_token(const TokenRow& token) override {
    const auto db = database_.writer.lock();
    return folded(*db, [&]() -> Status {
      Query known = TRY(db->query("SELECT 1 FROM token WHERE id = ? OR secret = ?"));
      if (TRY(known.bind(token.id).bind(token.secret).next())) {
        return make_error(ErrorKind::AlreadyExists, "token {} exists", token.id);
      }
      return insert_token(*db, token);
    });
  }

  Result<std::optional<TokenRow>> find_token(const Digest& secret) override {
    const auto db = database_.reader.lock();
    Query query =
        TRY(db->query("SELECT id, secret, space, scopes, note, created, expires, revoked "
                      "FROM token WHERE secret = ?"));
    query.bind(secret);
    if (!TRY(query.next())) {
      return std::optional<TokenRow>();
    }
    return std::optional(TRY(read_token(query)));
  }

  Result<std::vector<TokenRow>> tokens() override {
    const auto db = database_.reader.lock();
    Query query =
        TRY(db->query("SELECT id, secret, space, scopes, note, created, expires, revoked "
                      "FROM token ORDER BY created, id"));
    std::vector<TokenRow> rows;
    while (TRY(query.next())) {
      rows.push_back(TRY(read_token(query)));
    }
    return rows;
  }

  Result<bool> revoke_token(const std::string& id, Time now) override {
    bool is_known = false;
    const auto db = database_.writer.lock();
    TRY(folded(*db, [&]() -> Status {
      Query query = TRY(
          db->query("UPDATE token SET revoked = coalesce(revoked, ?) WHERE id = ? RETURNING id"));
      is_known = TRY(query.bind(stored_time(now)).bind(id).next());
      return {};
    }));
    return is_known;
  }

 private:
  /// Such changes are rare, and keys are what cannot be made again: who copies cache.db while the
  /// server runs has them.
  template <class Body>
  static Status folded(SqliteConnection& db, Body body) {
    TRY(db.transaction(body));
    if (db.wal_pages() > 0) {
      fold_log(db);
    }
    return {};
  }

  static Status insert_token(SqliteConnection& db, const TokenRow& token) {
    const auto stored = [](const std::optional<Time>& time) {
      return time ? std::to_string(stored_time(*time)) : std::string();
    };
    const std::string expires = stored(token.expires);
    const std::string revoked = stored(token.revoked);
    // A number that came as text is a number in an INTEGER column; there is no bind() of NULL.
    Query query = TRY(
        db.query("INSERT INTO token (id, secret, space, scopes, note, created, expires, revoked) "
                 "VALUES (?, ?, ?, ?, ?, ?, nullif(?, ''), nullif(?, ''))"));
    query.bind(token.id).bind(token.secret).bind(token.space);
    query.bind(static_cast<std::int64_t>(token.scopes)).bind(token.note);
    query.bind(stored_time(token.created)).bind(expires).bind(revoked);
    return query.run();
  }

  SqliteDatabase& database_;
};

}  // namespace

std::unique_ptr<AccessTables> make_access_tables(SqliteDatabase& database) {
  return std::make_unique<SqliteAccessTables>(database);
}

}  // namespace mybuild::cache_server
