// SPDX-License-Identifier: Apache-2.0
#include "builder/devices/cdi_spec.h"

#include "builder/devices/yaml.h"

#include <algorithm>
#include <array>

namespace mybuild::devices {

namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_plain(char c) {
  return is_letter(c) || (c >= '0' && c <= '9');
}

/// Letters and digits, inside also `others`.
bool is_word(std::string_view text, std::string_view others) {
  return !text.empty() && is_plain(text.front()) && is_plain(text.back()) &&
         std::all_of(text.begin(), text.end(), [others](char c) {
           return is_plain(c) || others.find(c) != std::string_view::npos;
         });
}

/// Edits that were not understood would make a device that half works.
Status check_members(const JsonField& object, std::initializer_list<std::string_view> known) {
  for (const auto& [name, value] : TRY(object.members())) {
    if (std::find(known.begin(), known.end(), name) == known.end() && !value.absent()) {
      return unsupported("{}: {} is not supported", object.path(), name);
    }
  }
  return {};
}

Result<std::optional<std::uint32_t>> number(const JsonField& object, std::string_view name) {
  const JsonField field = TRY(object.field(name));
  if (field.absent()) {
    return std::optional<std::uint32_t>();
  }
  const std::int64_t value = TRY(field.integer());
  if (value < 0 || value > UINT32_MAX) {
    return field.error("a number of 32 bits");
  }
  return std::optional(static_cast<std::uint32_t>(value));
}

Result<std::string> absolute_path(const JsonField& field) {
  std::string path = TRY(field.string());
  if (!path.starts_with('/') || path.find('\0') != std::string::npos) {
    return field.error("an absolute path");
  }
  return path;
}

/// Without a device cgroup the only limit there is, is the one that steps have anyway: no node of
/// their own making can be opened.
Status check_permissions(const JsonField& field) {
  const std::string text = TRY(field.string_or(""));
  if (text.find_first_not_of("rwm") != std::string::npos) {
    return field.error("letters out of r, w and m");
  }
  const bool limited =
      !text.empty() && (text.find('r') == std::string::npos || text.find('w') == std::string::npos);
  return limited
             ? Status(unsupported("{}: permissions {} cannot be kept, only rw", field.path(), text))
             : Status();
}

Status parse_type(const JsonField& field, DeviceNode& node) {
  node.type = TRY(field.string_or(""));
  constexpr std::array<std::string_view, 5> kTypes = {"", "c", "u", "b", "p"};
  const bool known = std::find(kTypes.begin(), kTypes.end(), node.type) != kTypes.end();
  return known ? Status() : field.error("c, u, b or p");
}

Status parse_numbers(const JsonField& object, DeviceNode& node) {
  node.major = TRY(number(object, "major"));
  node.minor = TRY(number(object, "minor"));
  node.mode = TRY(number(object, "fileMode"));
  node.uid = TRY(number(object, "uid"));
  node.gid = TRY(number(object, "gid"));
  return {};
}

Result<DeviceNode> parse_node(const JsonField& object) {
  TRY(check_members(object, {"path", "hostPath", "type", "major", "minor", "fileMode",
                             "permissions", "uid", "gid"}));
  DeviceNode node;
  node.path = TRY(absolute_path(TRY(object.field("path"))));
  const JsonField host = TRY(object.field("hostPath"));
  node.host_path = host.absent() ? node.path : TRY(absolute_path(host));
  TRY(parse_type(TRY(object.field("type")), node));
  TRY(parse_numbers(object, node));
  TRY(check_permissions(TRY(object.field("permissions"))));
  return node;
}

struct MountOption {
  std::string_view name;
  void (*apply)(DeviceMount& mount);
};
constexpr auto kNothing = [](DeviceMount&) {};
// Devices in mounts are never opened, and nothing that happens in a step's mounts spreads.
constexpr std::array kMountOptions = {
    MountOption{"ro", [](DeviceMount& mount) { mount.read_only = true; }},
    MountOption{"rw", [](DeviceMount& mount) { mount.read_only = false; }},
    MountOption{"rbind", [](DeviceMount& mount) { mount.recursive = true; }},
    MountOption{"nosuid", [](DeviceMount& mount) { mount.no_suid = true; }},
    MountOption{"noexec", [](DeviceMount& mount) { mount.no_exec = true; }},
    MountOption{"bind", kNothing},
    MountOption{"nodev", kNothing},
    MountOption{"private", kNothing},
    MountOption{"rprivate", kNothing},
    MountOption{"slave", kNothing},
    MountOption{"rslave", kNothing},
};

Status apply_option(const JsonField& field, DeviceMount& mount) {
  const std::string name = TRY(field.string());
  for (const MountOption& option : kMountOptions) {
    if (option.name == name) {
      option.apply(mount);
      return {};
    }
  }
  return unsupported("{}: the mount option {} is not supported", field.path(), name);
}

Result<DeviceMount> parse_mount(const JsonField& object) {
  TRY(check_members(object, {"hostPath", "containerPath", "options", "type"}));
  DeviceMount mount;
  mount.host_path = TRY(absolute_path(TRY(object.field("hostPath"))));
  mount.container_path = TRY(absolute_path(TRY(object.field("containerPath"))));
  const JsonField type = TRY(object.field("type"));
  const std::string kind = TRY(type.string_or(""));
  if (!kind.empty() && kind != "bind" && kind != "none") {
    return unsupported("{}: mounts of type {} are not supported", type.path(), kind);
  }
  for (const JsonField& option : TRY(TRY(object.field("options")).items())) {
    TRY(apply_option(option, mount));
  }
  return mount;
}

/// Each item of the list `name`, read by `parse`.
template <class T>
Result<std::vector<T>> parse_each(const JsonField& object, std::string_view name,
                                  Result<T> (*parse)(const JsonField&)) {
  std::vector<T> list;
  for (const JsonField& item : TRY(TRY(object.field(name)).items())) {
    list.push_back(TRY(parse(item)));
  }
  return list;
}

Result<std::string> parse_variable(const JsonField& field) {
  std::string entry = TRY(field.string());
  if (entry.find('=') == std::string::npos || entry.find('\0') != std::string::npos) {
    return field.error("NAME=VALUE");
  }
  return entry;
}

Result<gid_t> parse_group(const JsonField& field) {
  const std::int64_t gid = TRY(field.integer());
  if (gid < 0 || gid >= UINT32_MAX) {
    return field.error("a group's number");
  }
  return static_cast<gid_t>(gid);
}

Result<ContainerEdits> parse_edits(const JsonField& object) {
  TRY(check_members(object, {"env", "deviceNodes", "mounts", "additionalGids"}));
  ContainerEdits edits;
  edits.env = TRY(parse_each(object, "env", parse_variable));
  edits.nodes = TRY(parse_each(object, "deviceNodes", parse_node));
  edits.mounts = TRY(parse_each(object, "mounts", parse_mount));
  edits.groups = TRY(parse_each(object, "additionalGids", parse_group));
  std::erase(edits.groups, 0U);  // says nothing, by the standard
  return edits;
}

Result<Device> parse_device(const JsonField& object,
                            const std::map<std::string, std::string>& annotations) {
  TRY(check_members(object, {"name", "annotations", "containerEdits"}));
  Device device;
  const JsonField name = TRY(object.field("name"));
  device.name = TRY(name.string());
  if (!is_word(device.name, "-_.:")) {
    return name.error("a name of letters, digits and -_.: between them");
  }
  device.annotations = TRY(TRY(object.field("annotations")).string_map());
  device.annotations.insert(annotations.begin(), annotations.end());
  device.edits = TRY(parse_edits(TRY(object.field("containerEdits"))));
  return device;
}

/// What stands in front: the version, which only has to be there, and the kind.
Result<std::string> parse_head(const JsonField& top) {
  TRY(check_members(top, {"cdiVersion", "kind", "annotations", "devices", "containerEdits"}));
  TRY(TRY(top.field("cdiVersion")).string());
  const JsonField field = TRY(top.field("kind"));
  std::string kind = TRY(field.string());
  if (!is_kind(kind)) {
    return field.error("vendor.com/class");
  }
  return kind;
}

}  // namespace

void ContainerEdits::append(const ContainerEdits& more) {
  env.insert(env.end(), more.env.begin(), more.env.end());
  nodes.insert(nodes.end(), more.nodes.begin(), more.nodes.end());
  mounts.insert(mounts.end(), more.mounts.begin(), more.mounts.end());
  groups.insert(groups.end(), more.groups.begin(), more.groups.end());
}

bool is_kind(std::string_view text) {
  const std::size_t slash = text.find('/');
  return slash != std::string_view::npos && slash > 0 && is_letter(text.front()) &&
         is_word(text.substr(0, slash), "-_.") && slash + 1 < text.size() &&
         is_letter(text[slash + 1]) && is_word(text.substr(slash + 1), "-_");
}

Result<CdiSpec> parse_cdi_spec(std::string_view text, CdiFormat format) {
  const Json json = TRY(format == CdiFormat::Json ? parse_json(text) : parse_yaml(text));
  const JsonField top(json, "spec");
  CdiSpec spec;
  spec.kind = TRY(parse_head(top));
  const auto annotations = TRY(TRY(top.field("annotations")).string_map());
  spec.edits = TRY(parse_edits(TRY(top.field("containerEdits"))));
  for (const JsonField& item : TRY(TRY(top.field("devices")).items())) {
    auto device = TRY(parse_device(item, annotations));
    spec.devices.push_back(std::move(device));
  }
  return spec;
}

}  // namespace mybuild::devices
