// SPDX-License-Identifier: Apache-2.0
#include "builder/sandbox/rootfs.h"

#include "builder/sandbox/devices.h"
#include "builder/sandbox/file_mounts.h"
#include "builder/sandbox/mount_calls.h"
#include "builder/sandbox/overlay_mount.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/rooted_path.h"
#include "snapshotter/base/sys.h"

#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include <cerrno>
#include <optional>

namespace mybuild::sandbox {

namespace {

constexpr unsigned long kKernelMount = MS_NOSUID | MS_NODEV | MS_NOEXEC;
constexpr long kCgroup2Magic = 0x63677270;

/// A plan mount whose source is ready.
struct Pending {
  const PlanMount* plan;
  OpenLayers layers;  // Overlay
  Fd tree;            // Bind, Overlay: a detached mount
};

struct Sources {
  OpenLayers root;
  std::vector<Pending> mounts;
  HostDevices host;
  Fd old_root;
};

/// Steps have CAP_MKNOD, as docker's: what keeps them from the machine's disks is that no mount
/// they reach opens device nodes.
unsigned long device_flag(const SandboxPlan& plan) {
  return plan.insecure ? 0 : MS_NODEV;
}

Result<Fd> bind_source(const SandboxPlan& plan, const PlanMount& mount) {
  Fd tree = TRY(clone_tree(AT_FDCWD, mount.source, mount.recursive));
  TRY(limit_mount(tree.get(),
                  {.read_only = mount.read_only,
                   .no_devices = !plan.insecure,
                   .no_suid = mount.no_suid,
                   .no_exec = mount.no_exec},
                  mount.recursive));
  return tree;
}

bool is_overlay(const PlanMount& mount) {
  return mount.overlay.type == snapshotter::RootMount::Type::Overlay;
}

/// A stack of layers; where overlayfs does not work, a directory that has a copy of them.
Result<Fd> layers_root(Pending& pending, const SandboxPlan& plan) {
  if (is_overlay(*pending.plan)) {
    return mount_overlay(std::move(pending.layers), device_flag(plan));
  }
  Fd tree = TRY(clone_tree(AT_FDCWD, pending.plan->overlay.source, false));
  TRY(limit_mount(tree.get(), {.no_devices = !plan.insecure}, false));
  return tree;
}

/// What `source_path` names inside the layers, links resolved there.
Result<Fd> overlay_source(Pending& pending, const SandboxPlan& plan) {
  const Fd top = TRY(layers_root(pending, plan));
  const Fd inside = TRY(open_in_root(top.get(), pending.plan->source_path, O_PATH)
                            .context("source " + pending.plan->source_path));
  Fd tree = TRY(clone_tree(inside.get(), "", false));
  TRY(limit_mount(tree.get(), {.read_only = pending.plan->read_only}, false));
  return tree;
}

/// All layers are opened before anything is mounted, since overlays are mounted over their own
/// layers' paths.
Result<Sources> open_sources(const SandboxPlan& plan) {
  Sources sources;
  sources.old_root = TRY(sys::open("/", O_PATH | O_DIRECTORY));
  sources.host = open_host_devices(plan);
  sources.host.root = sources.old_root.get();
  if (plan.root.type == snapshotter::RootMount::Type::Overlay) {
    sources.root = TRY(open_layers(plan.root).context("root"));
  }
  for (const PlanMount& mount : plan.mounts) {
    Pending pending{.plan = &mount, .layers = {}, .tree = {}};
    if (mount.type == PlanMount::Type::Overlay && is_overlay(mount)) {
      pending.layers = TRY(open_layers(mount.overlay).context(mount.target));
    } else if (mount.type == PlanMount::Type::Bind) {
      pending.tree = TRY(bind_source(plan, mount).context(mount.target));
    }
    sources.mounts.push_back(std::move(pending));
  }
  for (Pending& pending : sources.mounts) {
    if (pending.plan->type == PlanMount::Type::Overlay) {
      pending.tree = TRY(overlay_source(pending, plan).context(pending.plan->target));
    }
  }
  return sources;
}

Result<Fd> mount_root(const SandboxPlan& plan, OpenLayers layers) {
  if (plan.root.type == snapshotter::RootMount::Type::Overlay) {
    return mount_overlay(std::move(layers), device_flag(plan));
  }
  const std::string& source = plan.root.source;
  TRY(bind_over(source, source));
  Fd root = TRY(sys::open(source, O_PATH | O_DIRECTORY));
  TRY(limit_mount(root.get(), {.no_devices = !plan.insecure}, false));
  return root;
}

/// The old root ends up stacked over the new one, out of the reach of paths, until
/// leave_old_root().
Status pivot_into(const Fd& root) {
  if (::fchdir(root.get()) < 0 || ::syscall(SYS_pivot_root, ".", ".") < 0 || ::chdir("/") < 0) {
    return os_error(errno, "change the root");
  }
  return {};
}

Status leave_old_root(const Fd& old_root) {
  if (::fchdir(old_root.get()) < 0 || ::umount2(".", MNT_DETACH) < 0 || ::chdir("/") < 0) {
    return os_error(errno, "leave the old root");
  }
  return {};
}

/// A fresh sysfs belongs to the network namespace; where it is forbidden the host's tree,
/// read-only, has to do.
Status mount_sys(const SandboxPlan& plan, const std::string& target, const Fd& old_root) {
  const unsigned long flags = kKernelMount | (plan.insecure ? 0 : MS_RDONLY);
  const Status fresh = mount_new("sysfs", target, flags);
  if (fresh || fresh.error().os_errno() != EPERM) {
    return fresh;
  }
  const Fd tree = TRY(clone_tree(old_root.get(), "sys", true));
  TRY(limit_mount(tree.get(), {.read_only = true, .no_devices = true}, true));
  return attach_tree(tree.get(), target);
}

/// Rule: cgroup v2 shows its own subtree; with v1 (a dozen hierarchies) /sys/fs/cgroup stays empty.
Status mount_cgroup(const SandboxPlan& plan, const std::string& sys, const Fd& old_root) {
  struct statfs info {};
  const Result<Fd> host = sys::open_at(old_root.get(), "sys/fs/cgroup", O_RDONLY | O_DIRECTORY);
  if (!host || ::fstatfs(host->get(), &info) < 0 || info.f_type != kCgroup2Magic) {
    return {};
  }
  const std::string target = sys + "/fs/cgroup";
  const Status mounted =
      mount_new("cgroup2", target, kKernelMount | (plan.insecure ? 0 : MS_RDONLY));
  return mounted || mounted.error().os_errno() == EPERM ? Status() : mounted;
}

/// Network files of the step; an image may make their places impossible, which is not our failure.
Status mount_network_file(const Fd& dev, MountPoints& points, std::string_view path,
                          const std::string& text, bool read_only) {
  if (text.empty()) {
    return {};
  }
  const Result<std::string> target = points.ensure(path, false);
  if (!target) {
    return {};
  }
  PlanMount file;
  file.content = text;
  file.mode = 0644;
  return mount_memory_file(dev, *target, file, read_only);
}

Status mount_network_files(const SandboxPlan& plan, const Fd& dev, MountPoints& points) {
  const bool read_only = !plan.own_network_files;
  TRY(mount_network_file(dev, points, "/etc/hosts", plan.hosts, read_only));
  TRY(mount_network_file(dev, points, "/etc/resolv.conf", plan.resolv_conf, read_only));
  return read_only ? Status()
                   : mount_network_file(dev, points, "/etc/hostname", plan.hostname + "\n", false);
}

Status mount_tmpfs(const std::string& target, const PlanMount& mount) {
  std::string options = fmt::format("mode={:o},uid={},gid={}", mount.mode == 0 ? 01777 : mount.mode,
                                    mount.uid, mount.gid);
  if (mount.size > 0) {
    options += fmt::format(",size={}", mount.size);
  }
  return mount_new("tmpfs", target, MS_NOSUID | MS_NODEV | (mount.read_only ? MS_RDONLY : 0),
                   options);
}

Status mount_pending(const Pending& pending, const Fd& dev, const Fd& old_root,
                     MountPoints& points) {
  const PlanMount& mount = *pending.plan;
  bool directory = mount.type == PlanMount::Type::Tmpfs;
  if (pending.tree) {
    const struct stat info = TRY(sys::fstat(pending.tree.get()));
    directory = S_ISDIR(info.st_mode);
  }
  const std::string target = TRY(points.ensure(mount.target, directory));
  const struct stat point = TRY(sys::lstat_at(AT_FDCWD, target));
  if (S_ISDIR(point.st_mode) != directory) {
    return directory ? invalid_argument("is a file, and a directory is to be mounted there")
                     : invalid_argument("is a directory, and a file is to be mounted there");
  }
  switch (mount.type) {
    case PlanMount::Type::Tmpfs:
      return mount_tmpfs(target, mount);
    case PlanMount::Type::File:
      return mount_memory_file(dev, target, mount, true);
    case PlanMount::Type::Socket:
      return mount_socket(dev, target, mount);
    case PlanMount::Type::Device:
      return mount_device(dev, old_root, target, mount);
    default:
      return attach_tree(pending.tree.get(), target);
  }
}

/// Files vanish behind /dev/null (`null`: the node itself, as mounts of the plan may have put
/// anything at its path), directories behind an empty one, which all share.
Status mask_paths(const std::vector<std::string>& paths, const Fd& null) {
  std::optional<std::string> empty;
  for (const std::string& path : paths) {
    const Result<struct stat> info = sys::stat_at(AT_FDCWD, path);
    if (!info) {
      continue;
    }
    if (!S_ISDIR(info->st_mode)) {
      const Fd tree = TRY(clone_tree(null.get(), "", false));
      TRY(attach_tree(tree.get(), path));
    } else if (empty) {
      TRY(bind_over(*empty, path));
    } else {
      TRY(mount_new("tmpfs", path, MS_RDONLY | kKernelMount, "size=4k,nr_inodes=2"));
      empty = path;
    }
  }
  return {};
}

Status protect_paths(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    const Status bound = bind_over(path, path);
    if (bound) {
      TRY(remount_bind(path, MS_RDONLY | kKernelMount));
    } else if (bound.error().os_errno() != ENOENT) {
      return bound.error();
    }
  }
  return {};
}

Status furnish(const SandboxPlan& plan, const Sources& sources, MountPoints& points) {
  const std::string proc = TRY(points.ensure("/proc", true));
  TRY(mount_new("proc", proc, kKernelMount));
  const std::string dev_path = TRY(points.ensure("/dev", true));
  const Fd dev = TRY(make_dev(plan, dev_path, sources.host));
  const Fd null = TRY(sys::open(dev_path + "/null", O_PATH));
  TRY(use_own_null(null));
  const std::string sys = TRY(points.ensure("/sys", true));
  TRY(mount_sys(plan, sys, sources.old_root));
  TRY(mount_cgroup(plan, sys, sources.old_root));
  TRY(mount_network_files(plan, dev, points));
  for (const Pending& pending : sources.mounts) {
    TRY(mount_pending(pending, dev, sources.old_root, points).context(pending.plan->target));
  }
  if (!plan.insecure) {
    TRY(mask_paths(sandbox_defaults().masked_paths, null));
    TRY(protect_paths(sandbox_defaults().read_only_paths));
  }
  return {};
}

}  // namespace

Status enter_root(const SandboxPlan& plan, StubRecord& stubs) {
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0) {
    return os_error(errno, "make mounts private");
  }
  Sources sources = TRY(open_sources(plan));
  {
    const Fd root = TRY(mount_root(plan, std::move(sources.root)).context("root"));
    TRY(pivot_into(root));
  }
  MountPoints points = TRY(MountPoints::open());
  const Status furnished = furnish(plan, sources, points);
  stubs = points.record();
  TRY(Status(furnished));
  return leave_old_root(sources.old_root);
}

Status make_root_read_only() {
  const Fd root = TRY(sys::open("/", O_PATH | O_DIRECTORY));
  return limit_mount(root.get(), {.read_only = true}, false);
}

}  // namespace mybuild::sandbox
