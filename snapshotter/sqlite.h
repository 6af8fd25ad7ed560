// SPDX-License-Identifier: Apache-2.0
// The little of SQLite that the store needs, with Results: a connection, statements that are
// prepared once and reused, typed binding and columns. Internal to the box. Thread-compatible.
#pragma once

#include "snapshotter/base/digest.h"
#include "snapshotter/base/result.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace mybuild::snapshotter {

/// A prepared statement at one run. Reset when the object goes.
class Query {
 public:
  Query(sqlite3* db, sqlite3_stmt* statement) : db_(db), statement_(statement) {}
  Query(Query&& other) noexcept;
  Query& operator=(Query&&) = delete;
  ~Query();

  Query& bind(const Digest& value);
  Query& bind(const std::optional<Digest>& value);
  Query& bind(std::string_view value);
  Query& bind_bytes(std::string_view value);
  Query& bind(std::int64_t value);
  Query& bind(std::uint64_t value) { return bind(static_cast<std::int64_t>(value)); }

  /// True while there is a row.
  Result<bool> next();
  /// Runs a statement without rows.
  Status run();

  /// Columns of the current row, from 0. A BLOB of another size than a digest is DataLoss.
  Result<Digest> digest(int column) const;
  Result<std::optional<Digest>> optional_digest(int column) const;
  std::string text(int column) const;
  std::string bytes(int column) const;
  std::int64_t integer(int column) const;

 private:
  sqlite3* db_;
  sqlite3_stmt* statement_;
  int bound_ = 0;
};

class SqliteConnection {
 public:
  static Result<SqliteConnection> open(const std::string& path);
  SqliteConnection(SqliteConnection&&) noexcept;
  SqliteConnection& operator=(SqliteConnection&&) noexcept;
  ~SqliteConnection();

  /// Statements without parameters or rows, separated by semicolons.
  Status run(const char* sql);
  /// Write-ahead logging from now on, kept in the file. Waits for other processes that do the same:
  /// SQLite answers "locked" at once to all but one of those that switch at the same moment.
  Status use_wal();
  /// Several writes that others see together, or none when one fails.
  template <class Body>
  Status transaction(Body body) {
    TRY(run("BEGIN IMMEDIATE"));
    if (Status done = body(); !done) {
      (void)run("ROLLBACK");
      return done;
    }
    if (Status committed = run("COMMIT"); !committed) {
      (void)run("ROLLBACK");
      return committed;
    }
    fold_long_log();
    return {};
  }
  /// The write-ahead log goes back into the database when it has grown; who commits waits for it.
  void fold_long_log();
  /// `sql` is a literal: it is prepared at its first use and found again by its address.
  Result<Query> query(const char* sql);
  /// Pages in the write-ahead log after the last commit of this connection.
  int wal_pages() const;

 private:
  struct State;
  explicit SqliteConnection(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// A file of this name appears when SQLite has met damage in the middle of its work: whoever opens
/// the database next should look through all of it.
std::string damage_mark(const std::string& database);

/// Where the mark is there: looks through the whole database, and removes the mark if it is good.
/// DataLoss says what was found.
Status check_if_marked(SqliteConnection& db, const std::string& path);

/// True for errors that say the file itself is bad.
bool is_corrupt_database(const Error& error);

}  // namespace mybuild::snapshotter
