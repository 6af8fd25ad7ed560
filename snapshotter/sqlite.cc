// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/sqlite.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

#include <sqlite3.h>

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>
#include <unordered_map>
#include <utility>

namespace mybuild::snapshotter {

namespace {

constexpr std::chrono::milliseconds kBusy(30'000);
/// Pages. While the database is open the fold waits longer than at its end (metadata.cc), as it
/// holds up whoever commits.
constexpr int kLongLog = 4000;

}  // namespace

std::string damage_mark(const std::string& database) {
  return database + ".damaged";
}

namespace {

ErrorKind kind_of(int code) {
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorKind::DataLoss;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL:
    case SQLITE_IOERR:
      return ErrorKind::Unavailable;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
      return ErrorKind::Denied;
    case SQLITE_CANTOPEN:
      return ErrorKind::NotFound;
    default:
      return ErrorKind::Internal;
  }
}

/// SQLite keeps no errno of a disk that is full. The log's index is shared memory in a file: that
/// it does not grow has no other reason.
int errno_of(sqlite3* db, int code) {
  if ((code & 0xff) == SQLITE_FULL || code == SQLITE_IOERR_SHMSIZE) {
    return ENOSPC;
  }
  const int kept = db != nullptr && (code & 0xff) == SQLITE_IOERR ? sqlite3_system_errno(db) : 0;
  return kept == ENOSPC || kept == EDQUOT ? kept : 0;
}

/// SQLite quotes what it has read, and in a damaged file that may be anything.
std::string plain(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c > 0x7e; }, '?');
  return text;
}

Error named(ErrorKind kind, sqlite3* db, const std::string& text) {
  const char* path = db != nullptr ? sqlite3_db_filename(db, "main") : nullptr;
  const bool is_named = path != nullptr && *path != '\0';
  return make_error(kind, "database{}{}: {}", is_named ? " " : "", is_named ? path : "", text);
}

/// For the next command, which looks through it; `found` is what that would not see.
Error mark_damaged(Error error, sqlite3* db, const std::string& found = {}) {
  const char* path = db != nullptr ? sqlite3_db_filename(db, "main") : nullptr;
  if (path == nullptr) {
    return error;
  }
  (void)write_file(damage_mark(path), found);
  return std::move(error).with_hint("the next command looks through it and replaces it");
}

/// All statements are our own, and of the schema that the database says it has.
Error not_its_schema(sqlite3* db) {
  const std::string text = plain(sqlite3_errmsg(db));
  return mark_damaged(named(ErrorKind::DataLoss, db, text), db, text);
}

Error failed(sqlite3* db, int code) {
  const std::string text = plain(db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(code));
  Error error = named(kind_of(code), db, text).with_errno(errno_of(db, code));
  if (error.kind() == ErrorKind::DataLoss) {
    return mark_damaged(std::move(error), db);
  }
  if ((code & 0xff) == SQLITE_FULL) {
    return std::move(error).with_hint(
        "the disk is full; `mybuild prune` removes what is not needed");
  }
  if ((code & 0xff) == SQLITE_READONLY) {
    return std::move(error).with_hint(
        "make that file system writable, or name another state directory with --root");
  }
  return error;
}

}  // namespace

Status check_if_marked(SqliteConnection& db, const std::string& path) {
  if (!sys::exists_at(AT_FDCWD, damage_mark(path))) {
    return {};
  }
  if (const std::string found = TRY(read_file(damage_mark(path))); !found.empty()) {
    return data_loss("{}", found);
  }
  Query check = TRY(db.query("PRAGMA integrity_check(1)"));
  if (!TRY(check.next()) || check.text(0) != "ok") {
    return data_loss("{}", plain(check.text(0)));
  }
  return sys::unlink_at(AT_FDCWD, damage_mark(path));
}

bool is_corrupt_database(const Error& error) {
  return error.kind() == ErrorKind::DataLoss;
}

Query::Query(Query&& other) noexcept
    : db_(other.db_), statement_(std::exchange(other.statement_, nullptr)), bound_(other.bound_) {}

Query::~Query() {
  if (statement_ != nullptr) {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }
}

// Values bound as SQLITE_STATIC outlive the run: callers bind what they were given and run at once.
Query& Query::bind(const Digest& value) {
  sqlite3_bind_blob(statement_, ++bound_, value.bytes.data(), static_cast<int>(value.bytes.size()),
                    SQLITE_STATIC);
  return *this;
}
Query& Query::bind(const std::optional<Digest>& value) {
  if (value) {
    return bind(*value);
  }
  sqlite3_bind_null(statement_, ++bound_);
  return *this;
}
Query& Query::bind(std::string_view value) {
  const char* data = value.data() != nullptr ? value.data() : "";
  sqlite3_bind_text(statement_, ++bound_, data, static_cast<int>(value.size()), SQLITE_STATIC);
  return *this;
}
Query& Query::bind_bytes(std::string_view value) {
  const char* data = value.data() != nullptr ? value.data() : "";
  sqlite3_bind_blob(statement_, ++bound_, data, static_cast<int>(value.size()), SQLITE_STATIC);
  return *this;
}
Query& Query::bind(std::int64_t value) {
  sqlite3_bind_int64(statement_, ++bound_, value);
  return *this;
}

Result<bool> Query::next() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) {
    return true;
  }
  if (code == SQLITE_DONE) {
    return false;
  }
  return failed(db_, code);
}

Status Query::run() {
  while (TRY(next())) {
  }
  return {};
}

Result<Digest> Query::digest(int column) const {
  Digest digest;
  const void* data = sqlite3_column_blob(statement_, column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  if (data == nullptr || size != digest.bytes.size()) {
    return data_loss("database: a digest has {} bytes", size);
  }
  std::memcpy(digest.bytes.data(), data, size);
  return digest;
}

Result<std::optional<Digest>> Query::optional_digest(int column) const {
  if (sqlite3_column_type(statement_, column) == SQLITE_NULL) {
    return std::optional<Digest>();
  }
  return std::optional<Digest>(TRY(digest(column)));
}

std::string Query::text(int column) const {
  const unsigned char* data = sqlite3_column_text(statement_, column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return data == nullptr ? std::string() : std::string(reinterpret_cast<const char*>(data), size);
}

std::string Query::bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return data == nullptr ? std::string() : std::string(static_cast<const char*>(data), size);
}

std::int64_t Query::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

struct SqliteConnection::State {
  sqlite3* db = nullptr;
  std::unordered_map<const char*, sqlite3_stmt*> statements;
  int wal_pages = 0;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    for (const auto& [sql, statement] : statements) {
      sqlite3_finalize(statement);
    }
    sqlite3_close_v2(db);
  }
};

SqliteConnection::SqliteConnection(std::unique_ptr<State> state) : state_(std::move(state)) {}
SqliteConnection::SqliteConnection(SqliteConnection&&) noexcept = default;
SqliteConnection& SqliteConnection::operator=(SqliteConnection&&) noexcept = default;
SqliteConnection::~SqliteConnection() = default;

Result<SqliteConnection> SqliteConnection::open(const std::string& path) {
  auto state = std::make_unique<State>();
  // NOMUTEX: the owner guards the connection.
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  if (const int code = sqlite3_open_v2(path.c_str(), &state->db, flags, nullptr);
      code != SQLITE_OK) {
    Error error = failed(state->db, code).context(path);
    const Result<struct stat> info = sys::lstat_at(AT_FDCWD, path);
    if (!info || S_ISREG(info->st_mode)) {
      return error;
    }
    return std::move(error).with_hint(
        "that is no file: move it away, and a new one is made (names of images are lost with the "
        "old one, and cached steps run again)");
  }
  sqlite3_busy_timeout(state->db, static_cast<int>(kBusy.count()));
  sqlite3_extended_result_codes(state->db, 1);
  sqlite3_db_config(state->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_wal_hook(
      state->db,
      [](void* pages, sqlite3*, const char*, int count) {
        *static_cast<int*>(pages) = count;
        return SQLITE_OK;
      },
      &state->wal_pages);
  return SqliteConnection(std::move(state));
}

Status SqliteConnection::run(const char* sql) {
  if (const int code = sqlite3_exec(state_->db, sql, nullptr, nullptr, nullptr);
      code != SQLITE_OK) {
    return failed(state_->db, code);
  }
  return {};
}

Status SqliteConnection::use_wal() {
  const auto give_up = std::chrono::steady_clock::now() + kBusy;
  while (true) {
    const int code = sqlite3_exec(state_->db, "PRAGMA journal_mode=WAL", nullptr, nullptr, nullptr);
    if (code == SQLITE_OK) {
      return {};
    }
    if ((code & 0xff) != SQLITE_BUSY || std::chrono::steady_clock::now() >= give_up) {
      return failed(state_->db, code);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

Result<Query> SqliteConnection::query(const char* sql) {
  sqlite3_stmt*& statement = state_->statements[sql];
  if (statement == nullptr) {
    const int code =
        sqlite3_prepare_v3(state_->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) {
      return code == SQLITE_ERROR ? not_its_schema(state_->db) : failed(state_->db, code);
    }
  }
  return Query(state_->db, statement);
}

void SqliteConnection::fold_long_log() {
  if (wal_pages() >= kLongLog) {
    (void)run("PRAGMA wal_checkpoint(PASSIVE)");
  }
}

int SqliteConnection::wal_pages() const {
  return state_->wal_pages;
}

}  // namespace mybuild::snapshotter
