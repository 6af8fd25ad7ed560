// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/service/state.h"

#include "builder/cache_server/protocol/signature.h"
#include "builder/cache_server/store/access_tables.h"
#include "builder/cache_server/store/local_blob_store.h"
#include "builder/cache_server/store/sqlite_meta_store.h"
#include "snapshotter/base/sys.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

namespace mybuild::cache_server {

namespace {

constexpr std::uint8_t kLocalScopes = static_cast<std::uint8_t>(Scope::Read) |
                                      static_cast<std::uint8_t>(Scope::Write) |
                                      static_cast<std::uint8_t>(Scope::Claim);

constexpr char kLocalToken[] = "local-token";

std::string database_in(const std::string& directory) {
  return join_path(directory, "cache.db");
}

Status make_private_directory(const std::string& directory) {
  TRY(make_dirs(directory, 0700).context("make the server's directory"));
  const struct stat info = TRY(sys::stat_at(AT_FDCWD, directory));
  if (info.st_uid != ::geteuid()) {
    return make_error(ErrorKind::Denied, "{} belongs to uid {}, and this is uid {}", directory,
                      info.st_uid, ::geteuid());
  }
  // One that somebody else made for us is closed, too: signing keys lie in it.
  if ((info.st_mode & 0077) != 0 && ::chmod(directory.c_str(), 0700) < 0) {
    return os_error(errno, "close " + directory + " to others");
  }
  return {};
}

template <class T>
Result<T> advised(Result<T> result) {
  return result ? std::move(result) : Result<T>(with_advice(result.error()));
}

class Admin final : public ServerAdmin {
 public:
  explicit Admin(std::unique_ptr<MetaStore> meta) : meta_(std::move(meta)) {}
  Result<MadeToken> make_token(const NewToken& token) override {
    return advised(cache_server::make_token(*meta_, token, clock_.now()));
  }
  Result<std::vector<TokenRow>> tokens() override { return advised(meta_->access().tokens()); }
  Result<bool> revoke_token(const std::string& id) override {
    return advised(meta_->access().revoke_token(id, clock_.now()));
  }
  Status make_space(const std::string& name, const std::string& parent) override {
    return advised(cache_server::make_space(*meta_, name, parent));
  }
  Result<std::vector<Space>> spaces() override {
    std::vector<Space> spaces;
    for (const SpaceRow& row : TRY(advised(meta_->access().spaces()))) {
      const SigningKey key = TRY(SigningKey::from_seed(row.seed));
      spaces.push_back(
          {.name = row.name, .parent = row.parent, .key = to_string(key.public_key())});
    }
    return spaces;
  }

 private:
  const SystemClock clock_;
  const std::unique_ptr<MetaStore> meta_;
};

/// SQLite takes a file without bytes for a new database, and throws away the log beside it; and
/// the file alone, without the log that had all of the tables, for one that nobody has used yet.
/// What stands in the directory was made after the database: then it was there, with keys that
/// clients know.
Status refuse_lost_database(const std::string& directory) {
  const std::string path = database_in(directory);
  const Result<struct stat> info = sys::stat_at(AT_FDCWD, path);
  if (info && info->st_size > 0 && !has_no_keys(path)) {
    return {};
  }
  const bool has_layers = sys::exists_at(AT_FDCWD, join_path(directory, "content/blobs"));
  if (!has_layers && !sys::exists_at(AT_FDCWD, join_path(directory, kLocalToken))) {
    return {};
  }
  return data_loss(
             "the cache server's database {} is {}, and there {} beside it: the keys, tokens "
             "and records of this server are lost",
             path, info ? info->st_size > 0 ? "without keys" : "empty" : "gone",
             has_layers ? "are layers" : "is a token")
      .with_hint(
          "put a copy of it back (without cache.db-wal and cache.db-shm of another); for a new "
          "start, with new keys, tokens and records, move the "
          "whole directory away");
}

Result<std::unique_ptr<MetaStore>> open_meta(const std::string& directory) {
  const mode_t before = ::umask(0077);  // SQLite's files
  struct Restore {
    mode_t mode;
    ~Restore() { ::umask(mode); }
  } const restore{before};
  TRY(refuse_lost_database(directory));
  auto meta = TRY(open_sqlite_meta_store(database_in(directory)));
  TRY(advised(make_space(*meta, std::string(kDefaultSpace), "")));
  return meta;
}

}  // namespace

ServerState::ServerState(std::string directory, FileLock lock, std::unique_ptr<MetaStore> meta,
                         std::unique_ptr<BlobStore> blobs)
    : directory_(std::move(directory)),
      lock_(std::move(lock)),
      meta_(std::move(meta)),
      blobs_(std::move(blobs)) {}

Result<std::unique_ptr<ServerState>> ServerState::open(const std::string& directory) {
  TRY(make_private_directory(directory));
  auto lock =
      TRY(FileLock::try_acquire(join_path(directory, "serve.lock"), FileLock::Mode::Exclusive));
  if (!lock) {
    return make_error(ErrorKind::AlreadyExists, "another server has {}", directory)
        .with_hint("stop it, or give this one a directory of its own with --root");
  }
  auto meta = TRY(open_meta(directory));
  meta->settle();
  auto blobs = TRY(open_local_blob_store(join_path(directory, "content")));
  return std::unique_ptr<ServerState>(
      new ServerState(directory, std::move(*lock), std::move(meta), std::move(blobs)));
}

// A copy of cache.db is one of the keys then, whoever stopped an earlier server and how.
ServerState::~ServerState() {
  meta_->settle();
}

bool ServerState::is_damaged() const {
  return is_marked_damaged(database_in(directory_));
}

Result<std::string> ServerState::local_token(Time now) {
  const std::string path = join_path(directory_, kLocalToken);
  if (sys::exists_at(AT_FDCWD, path)) {
    const std::string known = TRY(read_note(path));
    const std::optional<TokenRow> row = TRY(advised(meta_->access().find_token(Digest::of(known))));
    if (row && !row->revoked) {
      return known;
    }
  }
  const NewToken wanted{.space = std::string(kEverywhere),
                        .scopes = kLocalScopes,
                        .note = "clients of this user on this machine",
                        .expires = std::nullopt};
  const MadeToken token = TRY(advised(make_token(*meta_, wanted, now)));
  AtomicFile file = TRY(AtomicFile::create(path, 0600));
  TRY(file.write(as_bytes(token.secret)));
  TRY(std::move(file).commit());
  return token.secret;
}

Result<std::unique_ptr<ServerAdmin>> open_server_admin(const std::string& directory,
                                                       IfMissing if_missing) {
  if (if_missing == IfMissing::Fail && !sys::exists_at(AT_FDCWD, database_in(directory))) {
    return not_found("there is no cache server's state in {}", directory)
        .with_hint("--root names it, or $MYBUILD_SERVE_ROOT");
  }
  TRY(make_private_directory(directory));
  auto meta = TRY(open_meta(directory));
  return std::unique_ptr<ServerAdmin>(std::make_unique<Admin>(std::move(meta)));
}

}  // namespace mybuild::cache_server
