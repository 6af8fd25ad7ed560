// SPDX-License-Identifier: Apache-2.0
#include "builder/ops/exec_mounts.h"

#include "builder/ops/cache_mount.h"
#include "builder/ops/copy_plan.h"
#include "builder/ops/missing_source.h"
#include "builder/ops/selection.h"
#include "builder/ops/trees.h"
#include "snapshotter/base/sys.h"

#include <algorithm>

namespace mybuild::ops {

namespace {

using sandbox::PlanMount;
using solver::ResultPtr;

/// A mount's source= is no pattern.
const SelectOptions kOnePath{.excludes = {}, .parents = false, .wildcards = false};

/// A part of a context as a layer tree: contexts are read in place and filtered, so they can not be
/// mounted themselves. A file is put under its own name.
Result<std::vector<std::string>> context_dirs(const BoundContexts::Bound& context,
                                              const OpDeps& deps, std::string& source_path) {
  const SelectedSource& selected = context.selected.at(0);
  const std::unique_ptr<snapshotter::TreeView> empty = TRY(snapshotter::open_layered_view({}));
  StagedTree staged(*empty);
  CopyPlanOptions options{.dest = "/", .owner = {}, .mode = {}, .invented_mtime = {}};
  TRY(plan_copy(staged, *context.view.view, selected, options));
  source_path = selected.is_directory ? "/" : "/" + selected.name;
  Result<snapshotter::Layer> made = deps.layers.commit_changes(staged.changes(), staged);
  if (!made && made.error().kind() == ErrorKind::DataLoss) {
    distrust_contents(*context.view.view, context.selected);
  }
  const snapshotter::Layer layer = TRY(std::move(made));
  std::optional<std::string> dir = TRY(deps.layers.tree(std::span(&layer.diff_id, 1)));
  if (!dir) {
    return data_loss("the layer made for a bind mount is gone");
  }
  return std::vector<std::string>{std::move(*dir)};
}

Result<BoundContexts::Bound> select_bound(const std::string& source, const ResultPtr& input,
                                          const OpDeps& deps) {
  BoundContexts::Bound bound;
  bound.view = TRY(open_view(input, deps));
  auto selected = select(*bound.view.view, {source}, kOnePath);
  if (!selected) {
    return explain_missing(std::move(selected).error(), input, {source}, deps);
  }
  bound.selected = std::move(selected).value();
  TRY(hash_contents(*bound.view.view, bound.selected));
  return bound;
}

class MountPreparer {
 public:
  MountPreparer(const solver::Vertex& vertex, const std::vector<ResultPtr>& inputs,
                const std::string& scratch, const OpDeps& deps, BoundContexts& contexts,
                PreparedMounts& prepared)
      : has_root_(std::get<solver::ExecOp>(vertex.op).has_root),
        inputs_(inputs),
        scratch_(scratch),
        deps_(deps),
        contexts_(contexts),
        prepared_(prepared),
        caches_(vertex, deps) {}

  Status add(const solver::ExecMount& mount) {
    mount_ = &mount;
    return std::visit([this](const auto& kind) { return add_kind(kind); }, mount.kind);
  }
  /// Once, after the last add(), so that locks are not held while other mounts are prepared.
  Status open_caches(const Cancel& cancel) {
    std::vector<PlanMount> mounts = TRY(caches_.open(prepared_.locks, cancel));
    std::move(mounts.begin(), mounts.end(), std::back_inserter(prepared_.mounts));
    return {};
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
    if (dynamic_cast<const ContextResult*>(input.get()) != nullptr) {
      const auto context = TRY(contexts_.open(bind.source, input));
      dirs = TRY(context_dirs(*context, deps_, plan.source_path));
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

  Status add_kind(const solver::CacheMount&) {
    return caches_.add(*mount_, mount_->input ? inputs_[*mount_->input] : nullptr);
  }

  Status add_kind(const solver::TmpfsMount& tmpfs) {
    PlanMount plan;
    plan.type = PlanMount::Type::Tmpfs;
    plan.target = mount_->target;
    plan.size = tmpfs.size;
    plan.mode = TRY(tmpfs_mode());
    prepared_.mounts.push_back(std::move(plan));
    return {};
  }

  /// As runc: the mode of the directory that it hides.
  Result<std::uint32_t> tmpfs_mode() {
    if (root_ == nullptr) {
      const TreeResult* tree = TRY(as_tree(has_root_ ? inputs_[0] : nullptr));
      root_ = TRY(open_tree(tree, deps_));
    }
    const std::string path = TRY(root_->resolve(mount_->target));
    const std::optional<snapshotter::Entry> there = TRY(root_->lookup(path));
    const bool is_directory = there && there->type == snapshotter::EntryType::Directory;
    return is_directory ? there->mode : 01777;
  }

  // Credentials are the matter of exec_credentials.
  static Status add_kind(const solver::SecretMount&) { return {}; }
  static Status add_kind(const solver::SshMount&) { return {}; }

  const bool has_root_;
  const std::vector<ResultPtr>& inputs_;
  const std::string& scratch_;
  const OpDeps& deps_;
  BoundContexts& contexts_;
  PreparedMounts& prepared_;
  CacheMounts caches_;
  std::unique_ptr<snapshotter::TreeView> root_;  // opened when first asked for
  const solver::ExecMount* mount_ = nullptr;
};

}  // namespace

Result<PreparedMounts> prepare_mounts(const solver::Vertex& vertex,
                                      const std::vector<ResultPtr>& inputs,
                                      const std::string& scratch, const OpDeps& deps,
                                      BoundContexts& contexts, const Cancel& cancel) {
  PreparedMounts prepared;
  MountPreparer preparer(vertex, inputs, scratch, deps, contexts, prepared);
  for (const solver::ExecMount& mount : std::get<solver::ExecOp>(vertex.op).mounts) {
    TRY(preparer.add(mount));
  }
  TRY(preparer.open_caches(cancel));
  return prepared;
}

void sort_mounts(std::vector<PlanMount>& mounts) {
  std::stable_sort(mounts.begin(), mounts.end(), [](const PlanMount& a, const PlanMount& b) {
    return std::count(a.target.begin(), a.target.end(), '/') <
           std::count(b.target.begin(), b.target.end(), '/');
  });
}

Result<std::shared_ptr<const BoundContexts::Bound>> BoundContexts::open(
    const std::string& source, const solver::ResultPtr& context) {
  const auto bound = bound_.lock();
  std::shared_ptr<const Bound>& slot = (*bound)[{context.get(), source}];
  if (slot == nullptr) {
    auto made = std::make_shared<Bound>(TRY(select_bound(source, context, deps_)));
    slot = std::move(made);
  }
  return slot;
}

void BoundContexts::release() {
  bound_.lock()->clear();
}

Result<SharedSelection> select_bind(const std::string& source, const ResultPtr& input,
                                    const OpDeps& deps, BoundContexts& contexts) {
  if (dynamic_cast<const ContextResult*>(input.get()) != nullptr) {
    const auto context = TRY(contexts.open(source, input));
    return SharedSelection(context, &context->selected);
  }
  BoundContexts::Bound layers = TRY(select_bound(source, input, deps));
  return SharedSelection(std::make_shared<std::vector<SelectedSource>>(std::move(layers.selected)));
}

}  // namespace mybuild::ops
