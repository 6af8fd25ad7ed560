// SPDX-License-Identifier: Apache-2.0
#include "builder/sandbox/frame.h"

#include "builder/sandbox/devices.h"
#include "builder/sandbox/mount_calls.h"
#include "builder/sandbox/network.h"
#include "snapshotter/base/sys.h"

#include <sys/mount.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

namespace mybuild::sandbox {

namespace {

constexpr unsigned long kKernelMount = MS_NOSUID | MS_NODEV | MS_NOEXEC;
constexpr long kCgroup2Magic = 0x63677270;

/// A fresh sysfs belongs to the network namespace; where it is forbidden the host's tree,
/// read-only, has to do.
Status mount_sys(const SandboxPlan& plan, const Fd& old_root) {
  const unsigned long flags = kKernelMount | (plan.insecure ? 0 : MS_RDONLY);
  const Status fresh = mount_new("sysfs", "sys", flags);
  if (fresh || fresh.error().os_errno() != EPERM) {
    return fresh;
  }
  const Fd tree = TRY(clone_tree(old_root.get(), "sys", true));
  TRY(limit_mount(tree.get(), {.read_only = true, .no_devices = true}, true));
  return attach_tree(tree.get(), "sys");
}

/// Rule: cgroup v2 shows its own subtree; with v1 (a dozen hierarchies) /sys/fs/cgroup stays empty.
Status mount_cgroup(const SandboxPlan& plan, const Fd& old_root) {
  struct statfs info {};
  const Result<Fd> host = sys::open_at(old_root.get(), "sys/fs/cgroup", O_RDONLY | O_DIRECTORY);
  if (!host || ::fstatfs(host->get(), &info) < 0 || info.f_type != kCgroup2Magic) {
    return {};
  }
  const Status mounted =
      mount_new("cgroup2", "sys/fs/cgroup", kKernelMount | (plan.insecure ? 0 : MS_RDONLY));
  return mounted || mounted.error().os_errno() == EPERM ? Status() : mounted;
}

/// A file of the frame's own becomes a mount on itself.
Status mount_text(const Fd& frame, const std::string& name, const std::string& text,
                  bool read_only) {
  if (text.empty()) {
    return {};
  }
  {
    const Fd file = TRY(sys::open_at(frame.get(), name, O_CREAT | O_EXCL | O_WRONLY, 0644));
    TRY(sys::write_all(file.get(), as_bytes(text)));
  }
  const Fd tree = TRY(clone_tree(frame.get(), name, false));
  TRY(limit_mount(tree.get(), {.read_only = read_only}, false));
  return attach_tree(tree.get(), name);
}

Status mount_network_files(const SandboxPlan& plan, const Fd& frame) {
  const bool read_only = !plan.own_network_files;
  TRY(mount_text(frame, "hosts", plan.hosts, read_only));
  TRY(mount_text(frame, "resolv.conf", plan.resolv_conf, read_only));
  return read_only ? Status() : mount_text(frame, "hostname", plan.hostname + "\n", false);
}

/// Files vanish behind /dev/null, directories behind an empty one, which all share.
Status mask_paths(const std::vector<std::string>& paths, const Fd& null) {
  std::optional<std::string> empty;
  for (const std::string& absolute : paths) {
    const std::string path = absolute.substr(1);
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
  for (const std::string& absolute : paths) {
    const std::string path = absolute.substr(1);
    const Status bound = bind_over(path, path);
    if (bound) {
      TRY(remount_bind(path, MS_RDONLY | kKernelMount));
    } else if (bound.error().os_errno() != ENOENT) {
      return bound.error();
    }
  }
  return {};
}

Status name_and_connect(const SandboxPlan& plan) {
  if (plan.network == Network::None) {
    TRY(bring_loopback_up());
  }
  if (!plan.hostname.empty() && ::sethostname(plan.hostname.data(), plan.hostname.size()) < 0) {
    return os_error(errno, "set the host name " + plan.hostname);
  }
  return {};
}

/// Where it hides nothing that is needed, and goes with the old root. "/" does as well, but costs
/// an unmount of its own. Never inside /proc or /sys: in a user namespace the kernel gives a new
/// one only to who sees all of one.
std::string place_of_frame() {
  const std::string place = "/dev/pts";
  const Result<struct stat> info = sys::lstat_at(AT_FDCWD, place);
  return info && S_ISDIR(info->st_mode) ? place : "/";
}

/// The working directory is the frame.
Status fill(const SandboxPlan& plan, const Fd& frame, const Fd& old_root, const HostDevices& host) {
  for (const char* name : {"proc", "dev", "sys"}) {
    TRY(sys::mkdir_at(frame.get(), name, 0755));
  }
  TRY(mount_new("proc", "proc", kKernelMount));
  const Fd dev = TRY(make_dev(plan, "dev", host));
  TRY(mount_sys(plan, old_root));
  TRY(mount_cgroup(plan, old_root));
  TRY(mount_network_files(plan, frame));
  if (plan.insecure) {
    return {};
  }
  return mask_kernel_files(TRY(sys::open_at(dev.get(), "null", O_PATH)));
}

}  // namespace

Result<Fd> make_frame(const SandboxPlan& plan) {
  TRY(name_and_connect(plan));
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) < 0) {
    return os_error(errno, "keep mounts from the host");
  }
  const Fd old_root = TRY(sys::open("/", O_PATH | O_DIRECTORY));
  HostDevices host = open_host_devices(plan);  // while /dev/pts can be seen
  host.root = old_root.get();
  Fd frame = TRY(stack_tmpfs(place_of_frame(), "64m"));
  if (::fchdir(frame.get()) < 0) {
    return os_error(errno, "enter a new mount");
  }
  TRY(fill(plan, frame, old_root, host));
  if (::chdir("/") < 0) {
    return os_error(errno, "leave a new mount");
  }
  return frame;
}

bool same_frame(const SandboxPlan& one, const SandboxPlan& other) {
  const auto is_plain = [](const SandboxPlan& plan) { return !plan.terminal && !plan.insecure; };
  return is_plain(one) && is_plain(other) && one.network == other.network &&
         one.hostname == other.hostname && one.hosts == other.hosts &&
         one.resolv_conf == other.resolv_conf && one.own_network_files == other.own_network_files &&
         one.shm_size == other.shm_size;
}

Status mask_kernel_files(const Fd& null) {
  TRY(mask_paths(sandbox_defaults().masked_paths, null));
  return protect_paths(sandbox_defaults().read_only_paths);
}

}  // namespace mybuild::sandbox
