// SPDX-License-Identifier: Apache-2.0
#include "builder/git/helper/mirror.h"

#include "snapshotter/base/digest.h"
#include "snapshotter/base/sys.h"

#include <chrono>
#include <memory>
#include <thread>

namespace mybuild::git {

namespace {

constexpr std::chrono::milliseconds kBetweenTries{50};
/// A shallow mirror is cheap to make anew, dear to look through.
constexpr std::size_t kMaxPacks = 64;
constexpr std::size_t kMaxDepth = 16;

bool is_left_over(const std::string& name) {
  return name.ends_with(".lock") || name.starts_with("tmp_") || name.starts_with(".tmp-") ||
         name.starts_with("pack_") || name.starts_with("incoming-") || name.starts_with("tmp-");
}

/// Locks and drafts of killed processes; with the exclusive lock nobody else can hold them.
Status sweep(int directory, std::size_t depth) {
  for (const std::string& name : TRY(sys::list_dir(directory))) {
    const struct stat info = TRY(sys::lstat_at(directory, name));
    if (is_left_over(name)) {
      TRY(remove_tree(directory, name));
    } else if (S_ISDIR(info.st_mode) && depth < kMaxDepth) {
      const Fd inner = TRY(sys::open_at(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
      TRY(sweep(inner.get(), depth + 1));
    }
  }
  return {};
}

Repository open_bare(const std::string& path) {
  git_repository* repository = nullptr;
  if (git_repository_open_bare(&repository, path.c_str()) < 0) {
    return nullptr;
  }
  return Repository(repository);
}

std::size_t pack_count(const std::string& repository) {
  const Result<Fd> folder = sys::open(repository + "/objects/pack", O_RDONLY | O_DIRECTORY);
  const Result<std::vector<std::string>> names =
      folder ? sys::list_dir(folder->get()) : Result<std::vector<std::string>>(folder.error());
  std::size_t count = 0;
  for (const std::string& name : names ? *names : std::vector<std::string>()) {
    count += name.ends_with(".pack") ? 1 : 0;
  }
  return count;
}

bool is_named(git_repository* repository, const git_oid& object) {
  git_reference_iterator* made = nullptr;
  if (git_reference_iterator_new(&made, repository) < 0) {
    return true;  // no ref can be read: nothing can be relied on
  }
  const std::unique_ptr<git_reference_iterator, FreeWith<git_reference_iterator_free>> iterator(
      made);
  git_reference* next = nullptr;
  while (git_reference_next(&next, iterator.get()) == 0) {
    const Reference reference(next);
    const git_oid* target = git_reference_target(reference.get());
    if (target != nullptr && git_oid_equal(target, &object) == 1) {
      return true;
    }
  }
  return false;
}

}  // namespace

Result<Mirror> Mirror::open(const std::string& mirrors, const Remote& remote, Reporter& reporter) {
  const std::string url = shown(remote);
  const std::string directory = mirror_directory(mirrors, remote);
  TRY(make_dirs(mirrors, 0700));
  TRY(make_dirs(directory, 0700));
  return Mirror(directory, url, reporter);
}

Status Mirror::lock(FileLock::Mode mode) {
  lock_.reset();
  for (;;) {
    lock_ = TRY(FileLock::try_acquire(directory_ + "/lock", mode));
    if (lock_) {
      return {};
    }
    reporter_->progress({.text = "waiting for another fetch from " + url_});
    std::this_thread::sleep_for(kBetweenTries);
  }
}

std::string Mirror::path(Kind kind) const {
  return directory_ + (kind == Kind::Shallow ? "/shallow" : "/full");
}

Repository Mirror::find(const git_oid& object) const {
  for (const Kind kind : {Kind::Shallow, Kind::Full}) {
    Repository repository = open_bare(path(kind));
    if (repository && lookup_commit(repository.get(), object)) {
      return repository;
    }
  }
  return nullptr;
}

bool Mirror::is_damaged(const git_oid& object) const {
  for (const Kind kind : {Kind::Shallow, Kind::Full}) {
    const Repository repository = open_bare(path(kind));
    if (repository && is_named(repository.get(), object) &&
        !lookup_commit(repository.get(), object)) {
      return true;
    }
  }
  return false;
}

Status Mirror::make(Kind kind) {
  const std::string draft = directory_ + "/draft";
  TRY(remove_tree(path(kind)));
  TRY(remove_tree(draft));
  git_repository* made = nullptr;
  git_repository_init_options options = GIT_REPOSITORY_INIT_OPTIONS_INIT;
  options.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKPATH;
  options.initial_head = "none";
  TRY(check(git_repository_init_ext(&made, draft.c_str(), &options), "make a mirror"));
  const Repository closed(made);
  TRY(write_file(directory_ + "/url", url_ + "\n"));
  return sys::rename_at(AT_FDCWD, draft, AT_FDCWD, path(kind));
}

Result<Repository> Mirror::prepare(Kind kind) {
  const std::string where = path(kind);
  Repository repository = open_bare(where);
  if (repository && (kind == Kind::Full || pack_count(where) <= kMaxPacks)) {
    const Fd folder = TRY(sys::open(where, O_RDONLY | O_DIRECTORY));
    TRY(sweep(folder.get(), 0));
    return repository;
  }
  TRY(make(kind).context("mirror of " + url_));
  repository = open_bare(where);
  if (!repository) {
    return library_error(-1, "open the mirror of " + url_);
  }
  return repository;
}

Status Mirror::discard() {
  TRY(remove_tree(path(Kind::Shallow)));
  return remove_tree(path(Kind::Full));
}

}  // namespace mybuild::git
