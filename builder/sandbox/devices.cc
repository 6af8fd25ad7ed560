// SPDX-License-Identifier: Apache-2.0
#include "builder/sandbox/devices.h"

#include "builder/sandbox/mount_calls.h"
#include "snapshotter/base/sys.h"

#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>

namespace mybuild::sandbox {

namespace {

struct Node {
  const char* name;
  unsigned major;
  unsigned minor;
};
constexpr Node kNodes[] = {{"null", 1, 3},   {"zero", 1, 5},    {"full", 1, 7},
                           {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}};

struct Link {
  const char* name;
  const char* target;
};
constexpr Link kLinks[] = {{"fd", "/proc/self/fd"},       {"stdin", "/proc/self/fd/0"},
                           {"stdout", "/proc/self/fd/1"}, {"stderr", "/proc/self/fd/2"},
                           {"core", "/proc/kcore"},       {"ptmx", "pts/ptmx"}};

/// Devices of a step with --security=insecure, as far as the host has them.
constexpr const char* kInsecureNodes[] = {"kmsg",         "cuse",  "fuse",  "kvm",   "net/tun",
                                          "loop-control", "loop0", "loop1", "loop2", "loop3",
                                          "loop4",        "loop5", "loop6", "loop7"};

bool is_node(const struct stat& info, const Node& node) {
  return S_ISCHR(info.st_mode) && info.st_rdev == makedev(node.major, node.minor);
}

Status attach_to_file(const Fd& tree, int dev, const std::string& path, const std::string& name) {
  TRY(sys::open_at(dev, name, O_CREAT | O_WRONLY, 0666));
  return attach_tree(tree.get(), path + "/" + name);
}

Status bind_from_host(const HostDevices& host, int dev, const std::string& path,
                      const std::string& name) {
  const Fd tree = TRY(clone_tree(host.root, "dev/" + name, false));
  return attach_to_file(tree, dev, path, name);
}

/// The host's node, if it is the one that its name says.
Status bind_node_from_host(const HostDevices& host, int dev, const std::string& path,
                           const Node& node) {
  const Fd tree = TRY(clone_tree(host.root, std::string("dev/") + node.name, false));
  const struct stat info = TRY(sys::fstat(tree.get()));
  if (!is_node(info, node)) {
    return unsupported("/dev/{} is not the device {}:{} here", node.name, node.major, node.minor);
  }
  TRY(allow_devices(tree.get()).context(std::string("/dev/") + node.name));
  return attach_to_file(tree, dev, path, node.name);
}

Status make_nodes(const HostDevices& host, int dev, const std::string& path) {
  for (const Node& node : kNodes) {
    const Status made =
        sys::mknod_at(dev, node.name, S_IFCHR | 0666, makedev(node.major, node.minor));
    if (!made && made.error().os_errno() == EPERM) {
      TRY(bind_node_from_host(host, dev, path, node));
    } else if (!made) {
      return made.error();
    }
  }
  return {};
}

/// From here on /dev opens the nodes that it has now and no others. A mount taken of a single file
/// keeps the rights that the whole has at that moment, and shows nothing but that file.
Status close_dev(int dev, const std::string& path) {
  std::vector<Fd> nodes;
  for (const Node& node : kNodes) {
    nodes.push_back(TRY(clone_tree(dev, node.name, false)));
  }
  TRY(limit_mount(dev, {.no_devices = true}, false));
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    TRY(attach_tree(nodes[i].get(), path + "/" + kNodes[i].name));
  }
  return {};
}

Status make_insecure_nodes(const HostDevices& host, int dev, const std::string& path) {
  TRY(sys::mkdir_at(dev, "net", 0755));
  for (const std::string name : kInsecureNodes) {
    if (sys::exists_at(host.root, "dev/" + name)) {
      TRY(bind_from_host(host, dev, path, name));
    }
  }
  return {};
}

Status make_mounts(const SandboxPlan& plan, int dev, const std::string& path) {
  constexpr unsigned long kData = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  for (const char* name : {"pts", "shm", "mqueue"}) {
    TRY(sys::mkdir_at(dev, name, 0755));
  }
  TRY(mount_new("devpts", path + "/pts", MS_NOSUID | MS_NOEXEC,
                "newinstance,ptmxmode=0666,mode=0620,gid=5"));
  TRY(mount_new("tmpfs", path + "/shm", kData, fmt::format("mode=1777,size={}", plan.shm_size)));
  // A kernel may be built without message queues.
  const Status queues = mount_new("mqueue", path + "/mqueue", kData);
  if (!queues && queues.error().os_errno() != ENODEV) {
    return queues.error();
  }
  return {};
}

}  // namespace

HostDevices open_host_devices(const SandboxPlan& plan) {
  HostDevices host;
  if (!plan.terminal) {
    return host;
  }
  // The descriptor's own mount belongs to another namespace and cannot be cloned; its path here
  // can.
  const Result<std::string> path = sys::readlink_at(AT_FDCWD, sys::proc_fd_path(0));
  const Result<struct stat> terminal = sys::fstat(0);
  if (!path || !terminal) {
    return host;
  }
  const Result<struct stat> named = sys::stat_at(AT_FDCWD, *path);
  if (named && S_ISCHR(named->st_mode) && named->st_rdev == terminal->st_rdev) {
    Result<Fd> console = clone_tree(AT_FDCWD, *path, false);
    host.console = console ? std::move(console).value() : Fd();
  }
  return host;
}

Result<Fd> make_dev(const SandboxPlan& plan, const std::string& dev, const HostDevices& host) {
  TRY(mount_new("tmpfs", dev, MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k"));
  Fd directory = TRY(sys::open(dev, O_RDONLY | O_DIRECTORY));
  TRY(make_nodes(host, directory.get(), dev));
  if (!plan.insecure) {
    TRY(close_dev(directory.get(), dev));
  }
  for (const Link& link : kLinks) {
    TRY(sys::symlink_at(link.target, directory.get(), link.name));
  }
  TRY(make_mounts(plan, directory.get(), dev));
  if (plan.insecure) {
    TRY(make_insecure_nodes(host, directory.get(), dev));
  }
  if (host.console) {
    TRY(sys::open_at(directory.get(), "console", O_CREAT | O_WRONLY, 0600));
    TRY(attach_tree(host.console.get(), dev + "/console"));
  }
  return directory;
}

Status use_own_null(const Fd& null) {
  constexpr Node kNull = kNodes[0];
  Fd own;
  for (int stream = 0; stream < 3; ++stream) {
    const Result<struct stat> info = sys::fstat(stream);
    if (!info || !is_node(*info, kNull)) {
      continue;
    }
    if (!own) {
      own = TRY(sys::open(sys::proc_fd_path(null.get()), O_RDWR));
    }
    if (::dup2(own.get(), stream) < 0) {
      return os_error(errno, "give the command its own /dev/null");
    }
  }
  return {};
}

}  // namespace mybuild::sandbox
