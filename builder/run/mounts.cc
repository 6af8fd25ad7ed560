// SPDX-License-Identifier: Apache-2.0
#include "builder/run/mounts.h"

#include "builder/run/names.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/rooted_path.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/tree_view.h"

#include <algorithm>
#include <cerrno>

namespace mybuild::run {

namespace {

using snapshotter::TreeView;

bool covers(const sandbox::SandboxPlan& plan, const std::string& target) {
  return std::any_of(plan.mounts.begin(), plan.mounts.end(),
                     [&](const auto& mount) { return mount.target == target; });
}

/// Adds volumes to a plan one by one.
class VolumeAdder {
 public:
  VolumeAdder(const VolumeStore& volumes, sandbox::SandboxPlan& plan)
      : volumes_(volumes), plan_(plan) {}

  Status add(const Volume& volume) {
    VolumeUse use;
    use.volume = volume.kind == Volume::Kind::Named ? volume.source : TRY(new_id());
    use.target = volume.target;
    use.anonymous = volume.kind == Volume::Kind::Anonymous;
    use.copy = volume.copy;
    TRY(check_name("volume", use.volume));
    sandbox::PlanMount mount;
    mount.target = use.target;
    mount.source = volumes_.data_path(use.volume);
    mount.read_only = volume.read_only;
    plan_.mounts.push_back(std::move(mount));
    uses_.push_back(std::move(use));
    return {};
  }
  std::vector<VolumeUse> take() { return std::move(uses_); }

 private:
  const VolumeStore& volumes_;
  sandbox::SandboxPlan& plan_;
  std::vector<VolumeUse> uses_;
};

}  // namespace

Result<std::vector<VolumeUse>> add_volumes(const oci::ImageConfig& config,
                                           const RunRequest& request, const VolumeStore& volumes,
                                           sandbox::SandboxPlan& plan) {
  VolumeAdder adder(volumes, plan);
  for (Volume volume : request.volumes) {
    if (volume.kind == Volume::Kind::Bind) {
      continue;  // the plan has it
    }
    volume.target = clean_absolute(volume.target);
    if (covers(plan, volume.target)) {
      return invalid_argument("duplicate mount point: {}", volume.target);
    }
    TRY(adder.add(volume));
  }
  for (const std::string& declared : config.volumes) {
    Volume volume{.kind = Volume::Kind::Anonymous, .source = {}, .target = {}};
    volume.target = resolve_absolute("/", declared);
    if (volume.target != "/" && !covers(plan, volume.target)) {
      TRY(adder.add(volume));
    }
  }
  sort_mounts(plan.mounts);
  return adder.take();
}

Status make_volume_sources(const std::vector<Volume>& volumes) {
  for (const Volume& volume : volumes) {
    if (volume.kind != Volume::Kind::Bind) {
      continue;
    }
    const std::string source = clean_absolute(volume.source);
    const Result<struct stat> info = sys::stat_at(AT_FDCWD, source);
    if (!info && info.error().os_errno() != ENOENT) {
      return info.error();
    }
    if (!info) {
      TRY(make_dirs(source).context("make volume source"));
    }
  }
  return {};
}

Status prepare_volumes(const std::vector<VolumeUse>& uses,
                       const std::vector<std::string>& layer_dirs, VolumeStore& volumes) {
  std::unique_ptr<TreeView> image;
  for (const VolumeUse& use : uses) {
    VolumeInfo wanted;
    wanted.name = use.volume;
    wanted.anonymous = use.anonymous;
    TRY(volumes.ensure(wanted));
    if (!use.copy || !TRY(volumes.wants_contents(use.volume))) {
      continue;
    }
    if (!image) {
      image = TRY(snapshotter::open_layered_view(layer_dirs));
    }
    TRY(volumes.fill(use.volume, *image, use.target).context("volume " + use.target));
  }
  return {};
}

}  // namespace mybuild::run
