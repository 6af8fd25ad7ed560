// SPDX-License-Identifier: Apache-2.0
#include "builder/ops/exec_mounts.h"

#include "builder/ops/copy_plan.h"
#include "builder/ops/selection.h"
#include "builder/ops/trees.h"
#include "snapshotter/base/sys.h"
#include "solver/key.h"

#include <algorithm>

namespace mybuild::ops {

namespace {

using sandbox::PlanMount;
using solver::ResultPtr;

/// A mount's source= is no pattern.
const SelectOptions kOnePath{.excludes = {}, .parents = false, .wildcards = false};

/// A part of a context as a layer tree: contexts are read in place and filtered, so they can not be
/// mounted themselves. A file is put under its own name.
Result<std::vector<std::string>> context_dirs(const ContextResult& context,
                                              const std::string& source, const OpDeps& deps,
                                              std::string& source_path) {
  std::vector<SelectedSource> selected = TRY(select(*context.view, {source}, kOnePath));
  const std::unique_ptr<snapshotter::TreeView> empty = TRY(snapshotter::open_layered_view({}));
  StagedTree staged(*empty);
  CopyPlanOptions options{.dest = "/", .owner = {}, .mode = {}, .invented_mtime = {}};
  TRY(plan_copy(staged, *context.view, selected.at(0), options));
  source_path = selected[0].is_directory ? "/" : "/" + selected[0].name;
  const snapshotter::Layer layer = TRY(deps.layers.commit_changes(staged.changes(), staged));
  std::optional<std::string> dir = TRY(deps.layers.tree(std::span(&layer.diff_id, 1)));
  if (!dir) {
    return data_loss("the layer made for a bind mount is gone");
  }
  return std::vector<std::string>{std::move(*dir)};
}

class MountPreparer {
 public:
  MountPreparer(const std::vector<ResultPtr>& inputs, const std::string& scratch,
                const OpDeps& deps, PreparedMounts& prepared)
      : inputs_(inputs), scratch_(scratch), deps_(deps), prepared_(prepared) {}

  Status add(const solver::ExecMount& mount) {
    mount_ = &mount;
    return std::visit([this](const auto& kind) { return add_kind(kind); }, mount.kind);
  }

 private:
  Status add_kind(const solver::BindMount& bind) {
    static const ResultPtr kNothing;
    const ResultPtr& input = mount_->input ? inputs_[*mount_->input] : kNothing;
    PlanMount plan;
    plan.type = PlanMount::Type::Overlay;
    plan.target = mount_->target;
    plan.source_path = bind.source;
    plan.read_only = !bind.writable;
    std::vector<std::string> dirs;
    if (const auto* context = dynamic_cast<const ContextResult*>(input.get())) {
      dirs = TRY(context_dirs(*context, bind.source, deps_, plan.source_path));
    } else {
      const TreeResult* tree = TRY(as_tree(input));
      dirs = TRY(layer_dirs(tree, deps_));
    }
    const std::string own = join_path(scratch_, fmt::format("mount-{}", prepared_.roots.size()));
    TRY(sys::mkdir_at(AT_FDCWD, own, 0700));
    prepared_.roots.push_back(TRY(deps_.snapshotter.prepare(dirs, own)));
    plan.overlay = prepared_.roots.back()->root();
    prepared_.mounts.push_back(std::move(plan));
    return {};
  }

  /// One id with different owners or modes is several caches, as in BuildKit.
  Status add_kind(const solver::CacheMount& cache) {
    if (mount_->input) {
      return unsupported("RUN --mount=type=cache with from= is not supported yet");
    }
    const std::string key = solver::KeyBuilder("mybuild.cache-mount.v1")
                                .add(cache.id)
                                .add_number(cache.uid)
                                .add_number(cache.gid)
                                .add_number(cache.mode)
                                .finish()
                                .hex();
    const std::string directory = TRY(lock_cache(join_path(deps_.cache_mounts_dir, key), cache));
    PlanMount plan;
    plan.target = mount_->target;
    plan.source = directory;
    plan.read_only = cache.read_only;
    prepared_.mounts.push_back(std::move(plan));
    return {};
  }

  Result<std::string> lock_cache(const std::string& base, const solver::CacheMount& cache) {
    TRY(make_dirs(base, 0700));
    if (cache.sharing == solver::CacheSharing::Private) {
      for (unsigned slot = 0;; ++slot) {
        const std::string name = fmt::format("{}/{}", base, slot);
        std::optional<FileLock> lock =
            TRY(FileLock::try_acquire(name + ".lock", FileLock::Mode::Exclusive));
        if (lock) {
          prepared_.locks.push_back(std::move(*lock));
          return make_cache_directory(name, cache);
        }
      }
    }
    const FileLock::Mode mode = cache.sharing == solver::CacheSharing::Locked
                                    ? FileLock::Mode::Exclusive
                                    : FileLock::Mode::Shared;
    prepared_.locks.push_back(TRY(FileLock::acquire(base + "/0.lock", mode)));
    return make_cache_directory(base + "/0", cache);
  }

  static Result<std::string> make_cache_directory(const std::string& path,
                                                  const solver::CacheMount& cache) {
    const Status made = sys::mkdir_at(AT_FDCWD, path, cache.mode);
    if (made) {
      TRY(sys::fchown_at(AT_FDCWD, path, cache.uid, cache.gid));
      TRY(sys::fchmod_at(AT_FDCWD, path, cache.mode));
    } else if (made.error().kind() != ErrorKind::AlreadyExists) {
      return made.error();
    }
    return path;
  }

  Status add_kind(const solver::TmpfsMount& tmpfs) {
    PlanMount plan;
    plan.type = PlanMount::Type::Tmpfs;
    plan.target = mount_->target;
    plan.size = tmpfs.size;
    plan.mode = 01777;
    prepared_.mounts.push_back(std::move(plan));
    return {};
  }

  // Credentials are the matter of exec_credentials.
  static Status add_kind(const solver::SecretMount&) { return {}; }
  static Status add_kind(const solver::SshMount&) { return {}; }

  const std::vector<ResultPtr>& inputs_;
  const std::string& scratch_;
  const OpDeps& deps_;
  PreparedMounts& prepared_;
  const solver::ExecMount* mount_ = nullptr;
};

/// All steps take their locks in one order, so that two of them never wait for each other.
std::vector<const solver::ExecMount*> in_lock_order(const solver::ExecOp& op) {
  std::vector<const solver::ExecMount*> caches;
  for (const solver::ExecMount& mount : op.mounts) {
    if (std::holds_alternative<solver::CacheMount>(mount.kind)) {
      caches.push_back(&mount);
    }
  }
  std::sort(caches.begin(), caches.end(), [](const auto* a, const auto* b) {
    return std::get<solver::CacheMount>(a->kind).id < std::get<solver::CacheMount>(b->kind).id;
  });
  return caches;
}

}  // namespace

Result<PreparedMounts> prepare_mounts(const solver::ExecOp& op,
                                      const std::vector<ResultPtr>& inputs,
                                      const std::string& scratch, const OpDeps& deps) {
  PreparedMounts prepared;
  MountPreparer preparer(inputs, scratch, deps, prepared);
  for (const solver::ExecMount* mount : in_lock_order(op)) {
    TRY(preparer.add(*mount));
  }
  for (const solver::ExecMount& mount : op.mounts) {
    if (!std::holds_alternative<solver::CacheMount>(mount.kind)) {
      TRY(preparer.add(mount));
    }
  }
  return prepared;
}

void sort_mounts(std::vector<PlanMount>& mounts) {
  std::stable_sort(mounts.begin(), mounts.end(), [](const PlanMount& a, const PlanMount& b) {
    return std::count(a.target.begin(), a.target.end(), '/') <
           std::count(b.target.begin(), b.target.end(), '/');
  });
}

Result<Digest> bind_digest(const std::string& source, const ResultPtr& input, const OpDeps& deps) {
  const View view = TRY(open_view(input, deps));
  std::vector<SelectedSource> selected = TRY(select(*view.view, {source}, kOnePath));
  TRY(hash_contents(*view.view, selected));
  return selection_digest(selected);
}

}  // namespace mybuild::ops
