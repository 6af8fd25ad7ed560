// SPDX-License-Identifier: Apache-2.0
#include "builder/sandbox/mount_point_layer.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/rooted_path.h"
#include "snapshotter/base/sys.h"

#include <optional>

namespace mybuild::sandbox {

namespace {

enum class Kind { Directory, File };

std::optional<Kind> kind_of(const std::string& path, int flags) {
  struct stat info {};
  if (::fstatat(AT_FDCWD, path.c_str(), &info, flags) < 0) {
    return std::nullopt;
  }
  if (S_ISDIR(info.st_mode)) {
    return Kind::Directory;
  }
  return S_ISREG(info.st_mode) || S_ISSOCK(info.st_mode) ? std::optional(Kind::File) : std::nullopt;
}

/// The topmost layer that has the path decides; a link, a whiteout or a removed parent means "not
/// known".
std::optional<Kind> kind_in_layers(const snapshotter::RootMount& root, const std::string& path) {
  const std::string inside = clean_relative(path);
  if (inside.empty()) {
    return Kind::Directory;
  }
  for (auto layer = root.lower.rbegin(); layer != root.lower.rend(); ++layer) {
    const std::string candidate = join_path(*layer, inside);
    if (sys::exists_at(AT_FDCWD, candidate)) {
      return kind_of(candidate, AT_SYMLINK_NOFOLLOW);
    }
  }
  return std::nullopt;
}

std::optional<Kind> kind_of_mount(const PlanMount& mount) {
  switch (mount.type) {
    case PlanMount::Type::Bind:
      return kind_of(mount.source, 0);
    case PlanMount::Type::Overlay:
      return kind_in_layers(mount.overlay, mount.source_path);
    case PlanMount::Type::Tmpfs:
      return Kind::Directory;
    case PlanMount::Type::File:
    case PlanMount::Type::Socket:
    case PlanMount::Type::Device:
      return Kind::File;
  }
  return std::nullopt;
}

std::vector<MountPoint> points_of(const SandboxPlan& plan) {
  std::vector<MountPoint> points = {{.path = "proc", .is_directory = true},
                                    {.path = "dev", .is_directory = true},
                                    {.path = "sys", .is_directory = true}};
  if (!plan.hosts.empty()) {
    points.push_back({.path = "etc/hosts", .is_directory = false});
  }
  if (!plan.resolv_conf.empty()) {
    points.push_back({.path = "etc/resolv.conf", .is_directory = false});
  }
  for (const PlanMount& mount : plan.mounts) {
    if (const std::optional<Kind> kind = kind_of_mount(mount)) {
      points.push_back(
          {.path = clean_relative(mount.target), .is_directory = *kind == Kind::Directory});
    }
  }
  return points;
}

Status add_point(int directory, const MountPoint& point) {
  if (point.path.empty() || sys::exists_at(directory, point.path)) {
    return {};
  }
  if (point.is_directory) {
    TRY(make_dirs_in_root(directory, point.path, 0755, ::geteuid(), ::getegid()));
    return {};
  }
  const std::string name(base_name(point.path));
  const std::string parent_path = point.path.substr(0, point.path.size() - name.size());
  const Fd parent = TRY(make_dirs_in_root(directory, parent_path, 0755, ::geteuid(), ::getegid()));
  const Fd file = TRY(sys::open_at(parent.get(), name, O_CREAT | O_EXCL | O_WRONLY, 0644));
  return sys::fchmod(file.get(), 0644);
}

Status make_layer(const std::string& directory, const std::vector<MountPoint>& points) {
  const Fd top = TRY(sys::open(directory, O_PATH | O_DIRECTORY));
  for (const MountPoint& point : points) {
    TRY(add_point(top.get(), point).context(point.path));
  }
  return {};
}

}  // namespace

Status make_mount_point_layer(const std::string& directory, const SandboxPlan& plan) {
  return make_layer(directory, points_of(plan));
}

Result<std::string> MountPointLayers::layer_for(const SandboxPlan& plan) {
  std::vector<MountPoint> points = points_of(plan);
  const auto layers = layers_.lock();
  auto found = layers->find(points);
  if (found == layers->end()) {
    TempDir made = TRY(make_directory_());
    TRY(make_layer(made.path(), points));
    found = layers->emplace(std::move(points), std::move(made)).first;
  }
  return found->second.path();
}

}  // namespace mybuild::sandbox
