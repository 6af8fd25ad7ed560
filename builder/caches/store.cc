// SPDX-License-Identifier: Apache-2.0
#include "builder/caches/store.h"

#include "builder/caches/slots.h"
#include "builder/run/disk_usage.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

#include <algorithm>
#include <functional>
#include <tuple>

namespace mybuild::caches {

namespace {

constexpr std::size_t kKeySize = 64;
constexpr std::size_t kLeastPrefix = 6;

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Error in_use(const std::string& what) {
  return Error(ErrorKind::Denied, fmt::format("cache mount {} is in use by a running step", what))
      .with_hint("wait for that build, or stop it");
}

std::string shown(const Cache& cache) {
  return cache.record
             ? fmt::format("\"{}\" ({})", cache.record->identity.id, cache.key.substr(0, kShortKey))
             : cache.key.substr(0, kShortKey);
}

void describe_owner(Cache& cache) {
  if (cache.record && cache.record->identity.from.empty()) {
    const CacheIdentity& identity = cache.record->identity;
    std::tie(cache.uid, cache.gid, cache.mode) =
        std::tuple(identity.uid, identity.gid, identity.mode);
  } else if (const auto info = sys::lstat_at(AT_FDCWD, join_path(cache.dir, cache.slots.front()))) {
    std::tie(cache.uid, cache.gid, cache.mode) =
        std::tuple(info->st_uid, info->st_gid, info->st_mode & 07777U);
  }
}

/// Whatever is called like a slot, and what a killed process did not finish. Under all locks.
Status empty_into(const std::string& cache_dir, const std::string& aside) {
  const Fd dir = TRY(sys::open(cache_dir, O_RDONLY | O_DIRECTORY));
  for (const std::string& name : TRY(sys::list_dir(dir.get()))) {
    if (is_slot(name.substr(0, name.find('.'))) && (is_slot(name) || name.ends_with(".draft"))) {
      TRY(sys::rename_at(dir.get(), name, AT_FDCWD, join_path(aside, name)));
    }
  }
  return {};
}

/// The trash is emptied by whoever has time, also while something is put there: then once more.
/// `move` goes on where it was.
Status into_trash(const std::string& trash_dir,
                  const std::function<Status(const std::string& aside)>& move) {
  constexpr int kMostAttempts = 20;
  TRY(make_dirs(trash_dir, 0700));
  for (int attempt = 1;; ++attempt) {
    const TempDir aside = TRY(TempDir::create(trash_dir, "cache-"));
    Status moved = move(aside.path());
    const bool was_swept =
        !moved && moved.error().os_errno() == ENOENT && !sys::exists_at(AT_FDCWD, aside.path());
    if (!was_swept || attempt == kMostAttempts) {
      return moved;
    }
  }
}

}  // namespace

Result<std::optional<Cache>> CacheStore::look(const std::string& key) const {
  Cache cache;
  cache.key = key;
  cache.dir = join_path(dir_, key);
  cache.slots = TRY(slots_of(cache.dir));
  if (cache.slots.empty()) {
    return std::optional<Cache>();
  }
  cache.record = read_record(cache.dir);
  describe_owner(cache);
  const FileLock gate = TRY(lock_gate(cache.dir));
  cache.in_use = TRY(try_lock_all(cache.dir))
  .empty();
  return std::optional(std::move(cache));
}

Result<std::vector<Cache>> CacheStore::list() const {
  std::vector<Cache> caches;
  const Result<Fd> dir = sys::open(dir_, O_RDONLY | O_DIRECTORY);
  if (!dir) {
    return dir.error().os_errno() == ENOENT ? Result(std::move(caches)) : dir.error();
  }
  for (const std::string& key : TRY(sys::list_dir(dir->get()))) {
    if (key.size() != kKeySize || !is_hex(key)) {
      continue;
    }
    if (std::optional<Cache> cache = TRY(look(key))) {
      caches.push_back(std::move(*cache));
    }
  }
  const auto order = [](const Cache& cache) {
    return std::tuple(!cache.record, cache.record ? cache.record->identity.id : "", cache.key);
  };
  std::sort(caches.begin(), caches.end(),
            [&](const Cache& a, const Cache& b) { return order(a) < order(b); });
  return caches;
}

Result<std::vector<Cache>> CacheStore::find(const std::string& id_or_key) const {
  std::vector<Cache> named;
  std::vector<Cache> by_key;
  for (Cache& cache : TRY(list())) {
    if (cache.record && cache.record->identity.id == id_or_key) {
      named.push_back(std::move(cache));
    } else if (id_or_key.size() >= kLeastPrefix && cache.key.starts_with(id_or_key)) {
      by_key.push_back(std::move(cache));
    }
  }
  if (!named.empty()) {
    return named;
  }
  if (by_key.size() > 1) {
    return invalid_argument("{} is the beginning of {} keys", id_or_key, by_key.size());
  }
  if (by_key.empty()) {
    return not_found("no such cache mount: {}", id_or_key)
        .with_hint(
            "`mybuild cache-mount ls` lists what there is; without id= a mount's id is its "
            "target");
  }
  return by_key;
}

Status CacheStore::remove(const Cache& cache) const {
  const FileLock gate = TRY(lock_gate(cache.dir));
  const std::vector<FileLock> locks = TRY(try_lock_all(cache.dir));
  if (locks.empty()) {
    return in_use(shown(cache));
  }
  TRY(into_trash(trash_dir_,
                 [&](const std::string& aside) { return empty_into(cache.dir, aside); }));
  const Status forgotten = sys::unlink_at(AT_FDCWD, join_path(cache.dir, "record.json"));
  return forgotten || forgotten.error().os_errno() == ENOENT ? Status() : forgotten;
}

Result<Cache> CacheStore::replace(const CacheIdentity& identity,
                                  const std::vector<std::string>& trees) const {
  Cache cache;
  cache.key = identity.key();
  cache.dir = join_path(dir_, cache.key);
  TRY(make_dirs(cache.dir, 0700));
  const FileLock gate = TRY(lock_gate(cache.dir));
  const std::vector<FileLock> locks = TRY(try_lock_all(cache.dir));
  if (locks.empty()) {
    return in_use(fmt::format("\"{}\"", identity.id));
  }
  for (std::size_t slot = 0; slot < trees.size(); ++slot) {
    cache.slots.push_back(std::to_string(slot));
    const std::string path = join_path(cache.dir, cache.slots.back());
    // What was there is where the new tree came from afterwards: there is no moment without one.
    const bool exchanges = sys::exists_at(AT_FDCWD, path);
    TRY(sys::rename_at(AT_FDCWD, trees[slot], AT_FDCWD, path, exchanges ? RENAME_EXCHANGE : 0));
  }
  TRY(into_trash(trash_dir_, [&](const std::string& aside) -> Status {
    for (const std::string& slot : TRY(slots_of(cache.dir))) {
      if (std::find(cache.slots.begin(), cache.slots.end(), slot) == cache.slots.end()) {
        TRY(sys::rename_at(AT_FDCWD, join_path(cache.dir, slot), AT_FDCWD, join_path(aside, slot)));
      }
    }
    return {};
  }));
  cache.record =
      CacheRecord{.identity = identity, .created = clock_.now(), .last_used = clock_.now()};
  TRY(write_record(cache.dir, *cache.record));
  return cache;
}

Result<std::uint64_t> cache_bytes(const Cache& cache) {
  std::uint64_t bytes = 0;
  for (const std::string& slot : cache.slots) {
    const std::string path = join_path(cache.dir, slot);
    const Result<struct stat> info = sys::lstat_at(AT_FDCWD, path);
    if (info && S_ISREG(info->st_mode)) {
      bytes += static_cast<std::uint64_t>(info->st_size);
    } else {
      bytes += TRY(run::tree_bytes(path));
    }
  }
  return bytes;
}

}  // namespace mybuild::caches
