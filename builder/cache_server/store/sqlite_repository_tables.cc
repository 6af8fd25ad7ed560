// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/store/sqlite_database.h"
#include "builder/cache_server/store/sqlite_manifests.h"
#include "builder/cache_server/store/stored_time.h"

#include <chrono>
#include <optional>
#include <vector>

namespace mybuild::cache_server {

namespace {

using snapshotter::Query;
using snapshotter::SqliteConnection;

constexpr std::int64_t kRewriteAfter =
    std::chrono::milliseconds(RepositoryTables::kBetweenUses).count();
constexpr std::int64_t kUnlinkBatch = 256;

struct Link {
  std::string space;
  std::int64_t last_used = 0;
};

Result<std::optional<Link>> find_link(SqliteConnection& db, const std::string& space,
                                      const Digest& blob) {
  Query query = TRY(db.query("SELECT last_used FROM blob_link WHERE space = ? AND blob = ?"));
  query.bind(space).bind(blob);
  return TRY(query.next())
  ? std::optional(Link{.space = space, .last_used = query.integer(0)}) : std::nullopt;
}

Result<std::optional<Link>> find_any_link(SqliteConnection& db, const Digest& blob) {
  Query query = TRY(db.query("SELECT space, last_used FROM blob_link WHERE blob = ? LIMIT 1"));
  query.bind(blob);
  return TRY(query.next())
  ? std::optional(Link{.space = query.text(0), .last_used = query.integer(1)}) : std::nullopt;
}

struct Row {
  std::string space;
  RepositoryTables::Unused blob;
};

struct NewLink {
  const std::string& space;
  const Digest& blob;
  std::uint64_t size;
  std::int64_t time;
  std::optional<Status> done;  // written and read with the writer locked
};

/// Of all namespaces with "".
Result<std::vector<Row>> oldest_unused(SqliteConnection& db, const std::string& space,
                                       std::int64_t before) {
  Query query =
      TRY(db.query("SELECT space, blob, size FROM blob_link WHERE uses = 0 AND last_used < ?1 "
                   "AND (?3 = '' OR space = ?3) ORDER BY last_used LIMIT ?2"));
  query.bind(before).bind(kUnlinkBatch).bind(space);
  std::vector<Row> rows;
  while (TRY(query.next())) {
    const Digest blob = TRY(query.digest(1));
    rows.push_back({.space = query.text(0),
                    .blob = {.blob = blob, .size = static_cast<std::uint64_t>(query.integer(2))}});
  }
  return rows;
}

Result<bool> is_linked_anywhere(SqliteConnection& db, const Digest& blob) {
  Query query = TRY(db.query("SELECT 1 FROM blob_link WHERE blob = ? LIMIT 1"));
  return query.bind(blob).next();
}

Status remove_link(SqliteConnection& db, const std::string& space, const Digest& blob) {
  Query query = TRY(db.query("DELETE FROM blob_link WHERE space = ? AND blob = ?"));
  return query.bind(space).bind(blob).run();
}

class SqliteRepositoryTables final : public RepositoryTables {
 public:
  explicit SqliteRepositoryTables(SqliteDatabase& database) : database_(database) {}

  // Who has to wait for the writer finds his link committed by whom he waited for, in one wait for
  // the disk: uploads of small layers come by the dozen.
  Status link_blob(const std::string& space, const Digest& blob, std::uint64_t size,
                   Time now) override {
    NewLink mine{.space = space, .blob = blob, .size = size, .time = stored_time(now), .done = {}};
    new_links_.lock()->push_back(&mine);
    const auto db = database_.writer.lock();
    if (!mine.done) {
      std::vector<NewLink*> all;
      new_links_.lock()->swap(all);
      const Status linked = db->transaction([&] { return add_links(*db, all); });
      for (NewLink* link : all) {
        link->done = linked;
      }
    }
    return *mine.done;
  }

  Result<std::optional<std::string>> find_blob(const std::vector<std::string>& spaces,
                                               const Digest& blob, Time now) override {
    return find(
        [&](SqliteConnection& db) -> Result<std::optional<Link>> {
          for (const std::string& space : spaces) {
            if (auto link = TRY(find_link(db, space, blob))) {
              return link;
            }
          }
          return std::optional<Link>();
        },
        blob, stored_time(now));
  }

  Result<bool> has_blob(const std::vector<std::string>& spaces, const Digest& blob) override {
    const auto db = database_.reader.lock();
    for (const std::string& space : spaces) {
      if (TRY(find_link(*db, space, blob))) {
        return true;
      }
    }
    return false;
  }

  Result<bool> has_blob_anywhere(const Digest& blob, Time now) override {
    const auto space = TRY(find([&](SqliteConnection& db) { return find_any_link(db, blob); }, blob,
                                stored_time(now)));
    return space.has_value();
  }

  Result<bool> unlink_blob(const std::string& space, const Digest& blob) override {
    bool was_linked = false;
    TRY(change([&](SqliteConnection& db) -> Status {
      Query query = TRY(db.query("SELECT uses FROM blob_link WHERE space = ? AND blob = ?"));
      was_linked = TRY(query.bind(space).bind(blob).next());
      if (was_linked && query.integer(0) != 0) {
        return make_error(ErrorKind::Denied, "blob {} is needed by {} manifests and records",
                          blob.str(), query.integer(0));
      }
      return remove_link(db, space, blob);
    }));
    return was_linked;
  }

  Status forget_blob(const Digest& blob) override {
    return change([&](SqliteConnection& db) -> Status {
      Query query = TRY(db.query("DELETE FROM blob_link WHERE blob = ?"));
      return query.bind(blob).run();
    });
  }

  Status put_manifest(const ManifestRow& manifest, const std::string& tag, Time now) override {
    return change([&](SqliteConnection& db) {
      return put_manifest_row(db, manifest, tag, stored_time(now));
    });
  }

  Result<std::optional<ManifestRow>> find_manifest(const std::string& repository,
                                                   const Digest& digest) override {
    const auto db = database_.reader.lock();
    return find_manifest_row(*db, repository, digest);
  }

  Result<std::optional<Digest>> find_tag(const std::string& repository,
                                         const std::string& tag) override {
    const auto db = database_.reader.lock();
    Query query = TRY(db->query("SELECT digest FROM tag WHERE repository = ? AND name = ?"));
    query.bind(repository).bind(tag);
    if (!TRY(query.next())) {
      return std::optional<Digest>();
    }
    return std::optional(TRY(query.digest(0)));
  }

  Result<bool> remove_manifest(const std::string& repository, const Digest& digest) override {
    bool was_there = false;
    TRY(change([&](SqliteConnection& db) -> Status {
      was_there = TRY(remove_manifest_row(db, repository, digest));
      return {};
    }));
    return was_there;
  }

  Result<bool> remove_tag(const std::string& repository, const std::string& tag) override {
    bool was_there = false;
    TRY(change([&](SqliteConnection& db) -> Status {
      Query query =
          TRY(db.query("DELETE FROM tag WHERE repository = ? AND name = ? RETURNING name"));
      was_there = TRY(query.bind(repository).bind(tag).next());
      return {};
    }));
    return was_there;
  }

  Result<std::vector<std::string>> tags(const std::string& repository, const std::string& last,
                                        std::size_t limit) override {
    const auto db = database_.reader.lock();
    Query known = TRY(db->query("SELECT 1 FROM manifest WHERE repository = ? LIMIT 1"));
    if (!TRY(known.bind(repository).next())) {
      return not_found("repository {} is not there", repository);
    }
    Query query =
        TRY(db->query("SELECT name FROM tag WHERE repository = ?1 "
                      "AND (name COLLATE NOCASE, name) > (?2, ?2) "
                      "ORDER BY name COLLATE NOCASE, name LIMIT ?3"));
    query.bind(repository).bind(last).bind(static_cast<std::uint64_t>(limit));
    return texts(std::move(query));
  }

  // Each step of the recursion leaps over the manifests of one repository.
  Result<std::vector<std::string>> repositories(const std::string& last,
                                                std::size_t limit) override {
    const auto db = database_.reader.lock();
    Query query = TRY(db->query(
        "WITH RECURSIVE found(name) AS (SELECT min(repository) FROM manifest WHERE repository > ? "
        "UNION ALL SELECT (SELECT min(repository) FROM manifest WHERE repository > found.name) "
        "FROM found WHERE found.name IS NOT NULL) "
        "SELECT name FROM found WHERE name IS NOT NULL LIMIT ?"));
    query.bind(last).bind(static_cast<std::uint64_t>(limit));
    return texts(std::move(query));
  }

  Result<std::vector<ManifestRow>> referrers(const std::string& repository, const Digest& subject,
                                             const std::string& artifact_type, const Digest& last,
                                             std::size_t limit) override {
    const auto db = database_.reader.lock();
    return referrer_rows(*db, repository, subject, artifact_type, last, limit);
  }

  Result<std::uint64_t> linked_bytes() override {
    const auto db = database_.reader.lock();
    Query query = TRY(db->query("SELECT bytes FROM linked"));
    TRY(query.next());
    return static_cast<std::uint64_t>(query.integer(0));
  }

  Result<std::uint64_t> linked_bytes_of(const std::string& space) override {
    const auto db = database_.reader.lock();
    Query query = TRY(db->query("SELECT bytes FROM space_size WHERE space = ?"));
    const bool is_there = TRY(query.bind(space).next());
    return is_there ? static_cast<std::uint64_t>(query.integer(0)) : 0;
  }

  Result<std::vector<std::string>> spaces_above(std::uint64_t bytes) override {
    const auto db = database_.reader.lock();
    Query query = TRY(
        db->query("SELECT space FROM space_size WHERE bytes > ? AND space <> '' ORDER BY space"));
    query.bind(bytes);
    return texts(std::move(query));
  }

  Result<Unlinked> unlink_unused(Time before, std::uint64_t enough) override {
    return unlink_unused_of("", before, enough);
  }

  Result<Unlinked> unlink_unused_of(const std::string& space, Time before,
                                    std::uint64_t enough) override {
    Unlinked unlinked;
    TRY(change([&](SqliteConnection& db) {
      return unlink_until(db, space, stored_time(before), enough, unlinked);
    }));
    return unlinked;
  }

  Result<bool> is_linked(const Digest& blob) override {
    const auto db = database_.reader.lock();
    return is_linked_anywhere(*db, blob);
  }

 private:
  template <class Body>
  Status change(Body body) {
    const auto db = database_.writer.lock();
    return db->transaction([&] { return body(*db); });
  }

  static Status add_links(SqliteConnection& db, const std::vector<NewLink*>& links) {
    for (const NewLink* link : links) {
      Query query =
          TRY(db.query("INSERT INTO blob_link (space, blob, size, last_used) "
                       "VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
                       "last_used = max(last_used, excluded.last_used)"));
      TRY(query.bind(link->space).bind(link->blob).bind(link->size).bind(link->time).run());
    }
    return {};
  }

  static Result<std::vector<std::string>> texts(Query query) {
    std::vector<std::string> rows;
    while (TRY(query.next())) {
      rows.push_back(query.text(0));
    }
    return rows;
  }

  /// Looks with the reader, and with the writer again only when there is a use to write down. A
  /// server without room still serves what it has.
  template <class Look>
  Result<std::optional<std::string>> find(Look look, const Digest& blob, std::int64_t now) {
    std::optional<Link> link = TRY(look_in_reader(look));
    if (link && link->last_used < now - kRewriteAfter) {
      auto again = find_again(look, blob, now);
      if (!again && again.error().kind() != ErrorKind::Unavailable) {
        return again.error();
      }
      link = again ? std::move(*again) : link;
    }
    return link ? std::optional(std::move(link->space)) : std::nullopt;
  }

  template <class Look>
  Result<std::optional<Link>> look_in_reader(Look look) {
    const auto db = database_.reader.lock();
    return look(*db);
  }

  /// It may have gone meanwhile.
  template <class Look>
  Result<std::optional<Link>> find_again(Look look, const Digest& blob, std::int64_t now) {
    std::optional<Link> link;
    TRY(change([&](SqliteConnection& db) -> Status {
      link = TRY(look(db));
      return link ? note_use(db, link->space, blob, now) : Status();
    }));
    return link;
  }

  static Status note_use(SqliteConnection& db, const std::string& space, const Digest& blob,
                         std::int64_t now) {
    Query query =
        TRY(db.query("UPDATE blob_link SET last_used = max(last_used, ?) "
                     "WHERE space = ? AND blob = ?"));
    return query.bind(now).bind(space).bind(blob).run();
  }

  static Status unlink_until(SqliteConnection& db, const std::string& space, std::int64_t before,
                             std::uint64_t enough, Unlinked& unlinked) {
    const std::vector<Row> rows = TRY(oldest_unused(db, space, before));
    for (auto row = rows.begin(); row != rows.end() && unlinked.bytes < enough; ++row) {
      TRY(remove_link(db, row->space, row->blob.blob));
      ++unlinked.links;
      const bool is_free = !TRY(is_linked_anywhere(db, row->blob.blob));
      if (is_free) {
        unlinked.free.push_back(row->blob);
      }
      unlinked.bytes += is_free || !space.empty() ? row->blob.size : 0;
    }
    return {};
  }

  SqliteDatabase& database_;
  Guarded<std::vector<NewLink*>> new_links_;  // of who waits for the writer
};

}  // namespace

std::unique_ptr<RepositoryTables> make_repository_tables(SqliteDatabase& database) {
  return std::make_unique<SqliteRepositoryTables>(database);
}

}  // namespace mybuild::cache_server
