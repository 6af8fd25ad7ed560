// SPDX-License-Identifier: Apache-2.0
// A CDI specification (Container Device Interface): what the vendor of a device says has to be done
// to a container that uses it. What we cannot do is an error that names it. Pure; thread-safe.
#pragma once

#include "snapshotter/base/result.h"

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::devices {

struct DeviceNode {
  std::string path;       // in the container
  std::string host_path;  // as `path` when the file says nothing
  std::string type;       // "c", "u", "b", "p", or "" for what the host's node is
  std::optional<std::uint32_t> major;
  std::optional<std::uint32_t> minor;
  std::optional<std::uint32_t> mode;
  std::optional<uid_t> uid;
  std::optional<gid_t> gid;
};

struct DeviceMount {
  std::string host_path;
  std::string container_path;
  bool read_only = false;
  bool recursive = false;
  bool no_suid = false;
  bool no_exec = false;
};

struct ContainerEdits {
  std::vector<std::string> env;  // "K=V"
  std::vector<DeviceNode> nodes;
  std::vector<DeviceMount> mounts;
  std::vector<gid_t> groups;

  void append(const ContainerEdits& more);
};

struct Device {
  std::string name;
  std::map<std::string, std::string> annotations;  // of the file and its own
  ContainerEdits edits;
};

struct CdiSpec {
  std::string kind;      // "vendor.com/class"
  ContainerEdits edits;  // for whichever of the devices
  std::vector<Device> devices;
};

enum class CdiFormat { Json, Yaml };
Result<CdiSpec> parse_cdi_spec(std::string_view text, CdiFormat format);

/// "vendor.com/class", as far as a name has that form.
bool is_kind(std::string_view text);

}  // namespace mybuild::devices
