// SPDX-License-Identifier: Apache-2.0
#include "builder/ops/exec_devices.h"

#include "snapshotter/base/sys.h"

#include <sys/sysmacros.h>

namespace mybuild::ops {

namespace {

using sandbox::PlanMount;

constexpr std::uint32_t kUsualMode = 0666;

mode_t kind_of(std::string_view type) {
  if (type == "b") {
    return S_IFBLK;
  }
  return type == "p" ? S_IFIFO : S_IFCHR;
}

/// What the file leaves open, the host's node says.
Result<PlanMount> node_mount(const devices::DeviceNode& node) {
  PlanMount mount;
  mount.type = PlanMount::Type::Device;
  mount.target = node.path;
  mount.source = node.host_path;
  mount.uid = node.uid.value_or(0);
  mount.gid = node.gid.value_or(0);
  mode_t kind = kind_of(node.type);
  mount.device = ::makedev(node.major.value_or(0), node.minor.value_or(0));
  if (node.type.empty() || (node.major.value_or(0) == 0 && node.type != "p")) {
    const struct stat info = TRY(sys::stat_at(AT_FDCWD, node.host_path).context("device"));
    if (!S_ISCHR(info.st_mode) && !S_ISBLK(info.st_mode) && !S_ISFIFO(info.st_mode)) {
      return invalid_argument("{} is not a device", node.host_path);
    }
    if (!node.type.empty() && kind != (info.st_mode & S_IFMT)) {
      return invalid_argument("the device {} is not of type {}", node.host_path, node.type);
    }
    kind = info.st_mode & S_IFMT;
    mount.device = info.st_rdev;
  }
  mount.mode = kind | (node.mode.value_or(kUsualMode) & 07777U);
  return mount;
}

PlanMount bind_mount(const devices::DeviceMount& bind) {
  PlanMount mount;
  mount.target = bind.container_path;
  mount.source = bind.host_path;
  mount.read_only = bind.read_only;
  mount.recursive = bind.recursive;
  mount.no_suid = bind.no_suid;
  mount.no_exec = bind.no_exec;
  return mount;
}

void set_variable(std::vector<std::string>& env, const std::string& entry) {
  const std::string start = entry.substr(0, entry.find('=') + 1);
  std::erase_if(env, [&start](const std::string& other) { return other.starts_with(start); });
  env.push_back(entry);
}

}  // namespace

Status add_devices(const devices::ContainerEdits& edits, sandbox::SandboxPlan& plan) {
  for (const devices::DeviceNode& node : edits.nodes) {
    auto mount = TRY(node_mount(node));
    plan.mounts.push_back(std::move(mount));
  }
  for (const devices::DeviceMount& mount : edits.mounts) {
    plan.mounts.push_back(bind_mount(mount));
  }
  plan.groups.insert(plan.groups.end(), edits.groups.begin(), edits.groups.end());
  for (const std::string& entry : edits.env) {
    set_variable(plan.env, entry);
  }
  return {};
}

}  // namespace mybuild::ops
