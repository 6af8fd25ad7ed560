// SPDX-License-Identifier: Apache-2.0
#include "builder/sandbox/rootfs.h"

#include "builder/sandbox/devices.h"
#include "builder/sandbox/file_mounts.h"
#include "builder/sandbox/frame.h"
#include "builder/sandbox/mount_calls.h"
#include "builder/sandbox/overlay_mount.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/rooted_path.h"
#include "snapshotter/base/sys.h"

#include <sys/mount.h>
#include <sys/syscall.h>

#include <cerrno>

namespace mybuild::sandbox {

namespace {

/// A plan mount whose source is ready.
struct Pending {
  const PlanMount* plan;
  OpenLayers layers;  // Overlay
  Fd tree;            // Bind, Overlay: a detached mount
};

struct Sources {
  OpenLayers root;
  std::vector<Pending> mounts;
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

/// Paths never lead from "/" upwards, but a mount over it is found at "/..".
Result<bool> is_below_a_mount() {
  const struct stat root = TRY(sys::lstat_at(AT_FDCWD, "/"));
  const struct stat above = TRY(sys::lstat_at(AT_FDCWD, "/.."));
  return root.st_dev != above.st_dev || root.st_ino != above.st_ino;
}

/// umount2(".") takes the uppermost of what lies there, which may be something over the old root:
/// it goes on until the host is out of reach.
Status leave_old_root(const Fd& old_root) {
  constexpr int kMostAbove = 3;
  for (int above = 0; TRY(is_below_a_mount()); ++above) {
    if (above == kMostAbove) {
      return internal_error("mounts are left over the root");
    }
    if (::fchdir(old_root.get()) < 0 || ::umount2(".", MNT_DETACH) < 0 || ::chdir("/") < 0) {
      return os_error(errno, "leave the old root");
    }
  }
  return {};
}

/// One of the frame's network files; an image may make its place impossible, which is not our
/// failure.
Status place_network_file(int frame, const std::string& name, MountPoints& points) {
  if (!sys::exists_at(frame, name)) {
    return {};
  }
  const Result<std::string> target = points.ensure("/etc/" + name, false);
  if (!target) {
    return {};
  }
  TRY(move_tree(frame, name, *target));
  return sys::unlink_at(frame, name);  // programs that count links see none, whatever the root
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

/// The frame's mounts find their places in the root; returns the directory of /dev.
Result<Fd> place_frame(int frame, MountPoints& points) {
  std::string dev_path;
  for (const std::string name : {"proc", "dev", "sys"}) {
    const std::string target = TRY(points.ensure("/" + name, true));
    TRY(move_tree(frame, name, target));
    dev_path = name == "dev" ? target : dev_path;
  }
  Fd dev = TRY(sys::open(dev_path, O_RDONLY | O_DIRECTORY));
  for (const char* name : {"hosts", "resolv.conf", "hostname"}) {
    TRY(place_network_file(frame, name, points));
  }
  return dev;
}

Status furnish(const SandboxPlan& plan, int frame, const Sources& sources, MountPoints& points) {
  const Fd dev = TRY(place_frame(frame, points));
  const Fd null = TRY(sys::open_at(dev.get(), "null", O_PATH));
  TRY(use_own_null(null));
  for (const Pending& pending : sources.mounts) {
    TRY(mount_pending(pending, dev, sources.old_root, points).context(pending.plan->target));
  }
  // Mounts of the plan may have put a kernel file elsewhere, or something else over its mask.
  return plan.insecure || sources.mounts.empty() ? Status() : mask_kernel_files(null);
}

}  // namespace

Status enter_root(const SandboxPlan& plan, int frame, StubRecord& stubs) {
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0) {
    return os_error(errno, "make mounts private");
  }
  Sources sources = TRY(open_sources(plan));
  {
    const Fd root = TRY(mount_root(plan, std::move(sources.root)).context("root"));
    TRY(pivot_into(root));
  }
  MountPoints points = TRY(MountPoints::open());
  const Status furnished = furnish(plan, frame, sources, points);
  stubs = points.record();
  TRY(Status(furnished));
  return leave_old_root(sources.old_root);
}

Status make_root_read_only() {
  const Fd root = TRY(sys::open("/", O_PATH | O_DIRECTORY));
  return limit_mount(root.get(), {.read_only = true}, false);
}

}  // namespace mybuild::sandbox
