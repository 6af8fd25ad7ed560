// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/volume_spec.h"

#include "snapshotter/base/rooted_path.h"

#include <algorithm>
#include <set>

namespace mybuild::cli {

namespace {

Status check_target(std::string_view target) {
  return target.starts_with('/') ? Status()
                                 : invalid_argument("'{}' is not an absolute path", target);
}

/// What follows the second colon of a volume. Two modes of one group contradict each other.
struct VolumeMode {
  enum class Group { Access, Label, Copy, Consistency, Propagation };
  std::string_view name;
  Group group;
  bool supported = true;
};
constexpr VolumeMode kVolumeModes[] = {
    {"ro", VolumeMode::Group::Access},
    {"rw", VolumeMode::Group::Access},
    {"z", VolumeMode::Group::Label},  // for SELinux, of which nothing is done here
    {"Z", VolumeMode::Group::Label},
    {"nocopy", VolumeMode::Group::Copy},
    {"consistent", VolumeMode::Group::Consistency},  // all the same on Linux
    {"cached", VolumeMode::Group::Consistency},
    {"delegated", VolumeMode::Group::Consistency},
    {"rprivate", VolumeMode::Group::Propagation},  // as it is without
    {"private", VolumeMode::Group::Propagation, false},
    {"shared", VolumeMode::Group::Propagation, false},
    {"rshared", VolumeMode::Group::Propagation, false},
    {"slave", VolumeMode::Group::Propagation, false},
    {"rslave", VolumeMode::Group::Propagation, false},
};

Result<VolumeMode> find_volume_mode(std::string_view name, run::Volume::Kind kind) {
  using Group = VolumeMode::Group;
  for (const VolumeMode& mode : kVolumeModes) {
    const bool bind_only = mode.group == Group::Consistency || mode.group == Group::Propagation;
    const bool is_bind = kind == run::Volume::Kind::Bind;
    if (mode.name != name || (bind_only && !is_bind) || (mode.group == Group::Copy && is_bind)) {
      continue;
    }
    return mode.supported ? Result<VolumeMode>(mode)
                          : unsupported("volume mode '{}' is not supported yet", name);
  }
  return invalid_argument("unknown volume mode '{}'", name)
      .with_hint("modes are ro, rw, z, Z and, for volumes with a name, nocopy");
}

/// "ro,nocopy"; may be empty.
Status set_volume_modes(run::Volume& volume, std::string_view modes) {
  const std::string_view all = modes;
  std::set<VolumeMode::Group> seen;
  while (!modes.empty()) {
    const std::string_view name = modes.substr(0, modes.find(','));
    modes.remove_prefix(std::min(name.size() + 1, modes.size()));
    const VolumeMode mode = TRY(find_volume_mode(name, volume.kind));
    if (!seen.insert(mode.group).second) {
      return invalid_argument("volume modes '{}' contradict each other", all);
    }
    volume.read_only |= name == "ro";
    volume.copy &= name != "nocopy";
  }
  return {};
}

}  // namespace

Result<run::Volume> parse_volume(std::string_view text, std::string_view current_dir) {
  using Kind = run::Volume::Kind;
  const std::size_t first = text.find(':');
  if (first == std::string_view::npos) {
    TRY(check_target(text));
    return run::Volume{.kind = Kind::Anonymous, .source = {}, .target = clean_absolute(text)};
  }
  const std::string_view source = text.substr(0, first);
  const std::size_t second = std::min(text.find(':', first + 1), text.size());
  const std::string_view target = text.substr(first + 1, second - first - 1);
  if (source.empty()) {
    return invalid_argument("'{}' is not an absolute path", source);
  }
  TRY(check_target(target));
  const bool is_path = source.starts_with('/') || source.starts_with('.');
  run::Volume volume{
      .kind = is_path ? Kind::Bind : Kind::Named,
      .source = is_path ? resolve_absolute(current_dir, source) : std::string(source),
      .target = clean_absolute(target)};
  TRY(set_volume_modes(volume, text.substr(std::min(second + 1, text.size()))));
  return volume;
}

}  // namespace mybuild::cli
