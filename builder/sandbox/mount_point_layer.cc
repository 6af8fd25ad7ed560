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

Status add_point(int directory, std::string_view target, Kind kind) {
  const std::string path = clean_relative(target);
  if (path.empty() || sys::exists_at(directory, path)) {
    return {};
  }
  if (kind == Kind::Directory) {
    TRY(make_dirs_in_root(directory, path, 0755, ::geteuid(), ::getegid()));
    return {};
  }
  const std::string name(base_name(path));
  const std::string parent_path = path.substr(0, path.size() - name.size());
  const Fd parent = TRY(make_dirs_in_root(directory, parent_path, 0755, ::geteuid(), ::getegid()));
  const Fd file = TRY(sys::open_at(parent.get(), name, O_CREAT | O_EXCL | O_WRONLY, 0644));
  return sys::fchmod(file.get(), 0644);
}

}  // namespace

Status make_mount_point_layer(const std::string& directory, const SandboxPlan& plan) {
  const Fd top = TRY(sys::open(directory, O_PATH | O_DIRECTORY));
  for (const char* path : {"proc", "dev", "sys"}) {
    TRY(add_point(top.get(), path, Kind::Directory));
  }
  if (!plan.hosts.empty()) {
    TRY(add_point(top.get(), "etc/hosts", Kind::File));
  }
  if (!plan.resolv_conf.empty()) {
    TRY(add_point(top.get(), "etc/resolv.conf", Kind::File));
  }
  for (const PlanMount& mount : plan.mounts) {
    if (const std::optional<Kind> kind = kind_of_mount(mount)) {
      TRY(add_point(top.get(), mount.target, *kind).context(mount.target));
    }
  }
  return {};
}

}  // namespace mybuild::sandbox
