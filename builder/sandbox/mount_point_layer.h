// SPDX-License-Identifier: Apache-2.0
// The lowest layer of a step's root: a place for every mount, so that none has to be made in (and
// removed from) the step's own layer. Plain file operations, no rights needed. Thread-safe.
#pragma once

#include "builder/sandbox/plan.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/guarded.h"
#include "snapshotter/base/result.h"

#include <compare>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace mybuild::sandbox {

/// Fills the existing directory `directory` with mount points for `plan`: directories 0755 and
/// empty files 0644, owned by the caller. A target whose kind is not known here, or which the image
/// hides, is left to the helper.
Status make_mount_point_layer(const std::string& directory, const SandboxPlan& plan);

struct MountPoint {
  std::string path;
  bool is_directory = false;
  auto operator<=>(const MountPoint&) const = default;
};

/// The layers for the steps of a build. Most need the same places and share one: to make and to
/// remove it took a tenth of a small step's time. Nothing can write to it, as it is a lower layer.
class MountPointLayers {
 public:
  /// `make_directory` makes an empty one.
  explicit MountPointLayers(std::function<Result<TempDir>()> make_directory)
      : make_directory_(std::move(make_directory)) {}

  /// A directory with the places of make_mount_point_layer(), there as long as this object is.
  Result<std::string> layer_for(const SandboxPlan& plan);

 private:
  const std::function<Result<TempDir>()> make_directory_;
  Guarded<std::map<std::vector<MountPoint>, TempDir>> layers_;
};

}  // namespace mybuild::sandbox
