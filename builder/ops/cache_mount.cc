// SPDX-License-Identifier: Apache-2.0
#include "builder/ops/cache_mount.h"

#include "builder/caches/slots.h"
#include "builder/ops/copy_plan.h"
#include "builder/ops/selection.h"
#include "builder/ops/trees.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/tree_entry.h"
#include "snapshotter/tree_writer.h"

namespace mybuild::ops {

namespace {

using snapshotter::Entry;
using snapshotter::EntryType;
using solver::CacheMount;
using solver::CacheSharing;
using solver::ResultPtr;

const SelectOptions kOnePath{.excludes = {}, .parents = false, .wildcards = false};

/// What the cache starts from; null when that is an empty directory. BuildKit makes the directory
/// of a mount with an owner or a mode of its own beside the files of from=, so these are not seen.
ResultPtr start_of(const CacheMount& cache, const ResultPtr& start) {
  const bool own_directory = cache.uid != 0 || cache.gid != 0 || cache.mode != 0755;
  return cache.source == "/" && own_directory ? nullptr : start;
}

/// What tells apart files to start from: layers, or for a local context what the mount shows of it.
Result<std::string> start_text(const CacheMount& cache, const ResultPtr& start,
                               const OpDeps& deps) {
  if (dynamic_cast<const ContextResult*>(start.get()) != nullptr) {
    const View view = TRY(open_view(start, deps));
    std::vector<SelectedSource> selected = TRY(select(*view.view, {cache.source}, kOnePath));
    TRY(hash_contents(*view.view, selected));
    return selection_digest(selected, NamedDirectories::Shown).str();
  }
  const TreeResult* tree = TRY(as_tree(start));
  std::string layers;
  for (const snapshotter::Layer& layer : tree->layers) {
    layers += layer.diff_id.str() + "\n";
  }
  return layers;
}

/// Owner and mode of files that were there before are theirs.
Result<caches::CacheIdentity> identity_of(const CacheMount& cache, const ResultPtr& start,
                                          const OpDeps& deps) {
  caches::CacheIdentity identity;
  identity.id = cache.id;
  if (start == nullptr) {
    identity.uid = cache.uid;
    identity.gid = cache.gid;
    identity.mode = cache.mode;
    return identity;
  }
  identity.source = cache.source;
  identity.from = TRY(start_text(cache, start, deps));
  return identity;
}

Status write_tree(const snapshotter::ChangeRefs& list, const snapshotter::EntryContents& contents,
                  const std::string& dir) {
  snapshotter::TreeWriter writer(TRY(sys::open(dir, O_RDONLY | O_DIRECTORY)));
  for (const Entry* entry : list) {
    if (entry->type != EntryType::File) {
      TRY(writer.add(*entry));
      continue;
    }
    const Fd from = TRY(contents.open(*entry));
    const Fd to = TRY(writer.create(*entry));
    TRY(sys::copy_file(from.get(), to.get()));
    TRY(snapshotter::finish_file(to.get(), *entry));
  }
  return writer.finish();
}

/// Copies what `source` names into the new directory `dir`; answers with what is to be renamed to
/// the cache: the directory, or the one file in it.
Result<std::string> copy_start(const CacheMount& cache, const ResultPtr& start, const OpDeps& deps,
                               const std::string& dir) {
  const View view = TRY(open_view(start, deps));
  const std::vector<SelectedSource> selected = TRY(select(*view.view, {cache.source}, kOnePath));
  const SelectedSource& source = selected.at(0);
  const std::unique_ptr<snapshotter::TreeView> empty = TRY(snapshotter::open_layered_view({}));
  StagedTree staged(*empty);
  const CopyPlanOptions options{.dest = "/", .owner = {}, .mode = {}, .invented_mtime = {}};
  TRY(plan_copy(staged, *view.view, source, options));
  snapshotter::ChangeRefs list = staged.changes();
  Entry top;
  if (source.is_directory) {
    top = source.entries.at(0).get().entry;
    top.path.clear();
    list.insert(list.begin(), &top);
  }
  TRY(write_tree(list, staged, dir));
  return source.is_directory ? dir : join_path(dir, source.name);
}

}  // namespace

Status CacheMounts::add(const solver::ExecMount& mount, const ResultPtr& start) {
  const auto& cache = std::get<CacheMount>(mount.kind);
  ResultPtr from = start_of(cache, start);
  if (from == nullptr && cache.source != "/") {
    return not_found("source {} of the cache mount {}: not found", cache.source, mount.target)
        .with_hint("an empty cache has no such path; from= names the files that it starts with");
  }
  caches::CacheIdentity identity = TRY(identity_of(cache, from, deps_));
  Wanted& wanted = wanted_[join_path(deps_.cache_mounts_dir, identity.key())];
  wanted.identity = std::move(identity);
  const bool is_first = wanted.mounts.empty();
  if (is_first || cache.sharing == CacheSharing::Locked) {
    wanted.sharing = cache.sharing;
  }
  wanted.cache = cache;
  wanted.start = std::move(from);
  sandbox::PlanMount plan;
  plan.target = mount.target;
  plan.read_only = cache.read_only;
  wanted.mounts.push_back(std::move(plan));
  return {};
}

Result<std::vector<sandbox::PlanMount>> CacheMounts::open(std::vector<FileLock>& locks,
                                                          const Cancel& cancel) {
  std::vector<sandbox::PlanMount> all;
  for (auto& [base, wanted] : wanted_) {
    const std::string path = TRY(open_one(base, wanted, locks, cancel));
    for (sandbox::PlanMount& mount : wanted.mounts) {
      mount.source = path;
      all.push_back(std::move(mount));
    }
  }
  return all;
}

Result<std::string> CacheMounts::open_one(const std::string& base, const Wanted& wanted,
                                          std::vector<FileLock>& locks, const Cancel& cancel) {
  TRY(make_dirs(base, 0700));
  std::string path = base + "/0";
  if (wanted.sharing != CacheSharing::Private) {
    locks.push_back(TRY(lock_slot(path, wanted, cancel)));
  } else {
    const FileLock gate = TRY(caches::lock_gate(base));
    for (unsigned slot = 1;; ++slot) {
      std::optional<FileLock> lock =
          TRY(FileLock::try_acquire(path + ".lock", FileLock::Mode::Exclusive));
      if (lock) {
        locks.push_back(std::move(*lock));
        break;
      }
      path = fmt::format("{}/{}", base, slot);
    }
  }
  TRY(make(path, wanted, cancel));
  TRY(caches::note_use(base, wanted.identity, deps_.clock.now()));
  return path;
}

/// Another build may hold the lock for minutes: steps that do not need it run meanwhile, whatever
/// --jobs says.
Result<FileLock> CacheMounts::lock_slot(const std::string& path, const Wanted& wanted,
                                        const Cancel& cancel) {
  const std::string name = path + ".lock";
  const FileLock::Mode mode =
      wanted.sharing == CacheSharing::Locked ? FileLock::Mode::Exclusive : FileLock::Mode::Shared;
  if (std::optional<FileLock> lock = TRY(FileLock::try_acquire(name, mode))) {
    return std::move(*lock);
  }
  say(fmt::format("waiting for the cache mount \"{}\", which another step uses\n",
                  wanted.identity.id));
  Result<FileLock> lock = internal_error("the lock was not asked for");
  deps_.lanes.step_aside(Lane::Exec, [&] { lock = FileLock::acquire(name, mode, cancel); });
  return lock;
}

Status CacheMounts::make(const std::string& path, const Wanted& wanted, const Cancel& cancel) {
  if (sys::exists_at(AT_FDCWD, path)) {
    return {};
  }
  // Those who share a cache hold its lock together.
  const FileLock maker = TRY(FileLock::acquire(path + ".make", FileLock::Mode::Exclusive, cancel));
  if (sys::exists_at(AT_FDCWD, path)) {
    return {};
  }
  warn_of_namesakes(wanted);
  const std::string draft = path + ".draft";
  TRY(remove_tree(draft));  // of somebody who was killed
  TRY(sys::mkdir_at(AT_FDCWD, draft, 0700));
  std::string made = draft;
  if (wanted.start != nullptr) {
    made = TRY(copy_start(wanted.cache, wanted.start, deps_, draft));
  } else {
    TRY(sys::fchown_at(AT_FDCWD, draft, wanted.cache.uid, wanted.cache.gid));
    TRY(sys::fchmod_at(AT_FDCWD, draft, wanted.cache.mode));
  }
  TRY(sys::rename_at(AT_FDCWD, made, AT_FDCWD, path));
  return made == draft ? Status() : remove_tree(draft);
}

/// When it is made, since that is when an empty cache surprises; the rule CacheOwnerDiffers sees
/// one Dockerfile only.
void CacheMounts::warn_of_namesakes(const Wanted& wanted) {
  const auto others = caches::namesakes(deps_.cache_mounts_dir, wanted.identity);
  if (!others || others->empty()) {
    return;
  }
  const caches::CacheIdentity& other = others->front();
  deps_.events.on_event(solver::Warning{
      .message = fmt::format("CacheOwnerDiffers: cache \"{}\" has {} here and {} in an earlier "
                             "step or build: these are two caches, and this one is new",
                             wanted.identity.id, wanted.identity.described(), other.described()),
      .detail =
          "Cache mounts with one id but another owner, mode or start do not share their files",
      .location = vertex_.meta.location});
}

void CacheMounts::say(const std::string& line) {
  deps_.events.on_event(solver::LogChunk{
      .vertex = vertex_.id, .stream = 2, .bytes = line, .time = deps_.clock.now()});
}

}  // namespace mybuild::ops
