// SPDX-License-Identifier: Apache-2.0
#include "builder/sandbox/file_mounts.h"

#include "builder/sandbox/mount_calls.h"
#include "snapshotter/base/rooted_path.h"
#include "snapshotter/base/sys.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace mybuild::sandbox {

namespace {

constexpr const char* kDraft = ".file";

Status set_rights(const Fd& dev, const PlanMount& mount, mode_t mode) {
  TRY(sys::fchown_at(dev.get(), kDraft, mount.uid, mount.gid));
  return sys::fchmod_at(dev.get(), kDraft, mode);
}

/// The draft becomes the mount at `target` and loses its name.
Status attach_draft(const Fd& dev, const std::string& target, const Fd& tree) {
  TRY(attach_tree(tree.get(), target));
  return sys::unlink_at(dev.get(), kDraft);
}

/// The address is relative, as paths of sockets are short.
Status bind_draft(const Fd& dev, int socket) {
  struct sockaddr_un address {};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, kDraft);
  if (::fchdir(dev.get()) < 0 ||
      ::bind(socket, reinterpret_cast<const struct sockaddr*>(&address), sizeof address) < 0) {
    return os_error(errno, "make a socket");
  }
  if (::chdir("/") < 0 || ::listen(socket, SOMAXCONN) < 0) {
    return os_error(errno, "listen on a socket");
  }
  return {};
}

bool is_same_device(const struct stat& info, const PlanMount& node) {
  return (info.st_mode & S_IFMT) == (node.mode & S_IFMT) && info.st_rdev == node.device;
}

Status mount_host_device(const Fd& old_root, const std::string& target, const PlanMount& node) {
  const Fd tree = TRY(clone_tree(old_root.get(), clean_relative(node.source), false));
  const struct stat info = TRY(sys::fstat(tree.get()));
  if (!is_same_device(info, node)) {
    return unsupported("{} is another device now", node.source);
  }
  TRY(allow_devices(tree.get()));
  return attach_tree(tree.get(), target);
}

}  // namespace

Result<std::string> read_memory_file(int fd) {
  const struct stat info = TRY(sys::fstat(fd));
  std::string text(static_cast<std::size_t>(info.st_size), '\0');
  TRY(sys::pread_full(fd, std::as_writable_bytes(std::span(text)), 0));
  return text;
}

Status mount_memory_file(const Fd& dev, const std::string& target, const PlanMount& file,
                         bool read_only) {
  const std::string content = file.fd >= 0 ? TRY(read_memory_file(file.fd)) : file.content;
  {
    const Fd fd = TRY(sys::open_at(dev.get(), kDraft, O_CREAT | O_EXCL | O_WRONLY, 0600));
    TRY(sys::write_all(fd.get(), as_bytes(content)));
  }
  TRY(set_rights(dev, file, file.mode == 0 ? 0400 : file.mode & 07777));
  const Fd tree = TRY(clone_tree(dev.get(), kDraft, false));
  TRY(limit_mount(tree.get(), {.read_only = read_only, .no_exec = file.no_exec}, false));
  return attach_draft(dev, target, tree);
}

Status mount_socket(const Fd& dev, const std::string& target, const PlanMount& socket) {
  TRY(bind_draft(dev, socket.fd));
  TRY(set_rights(dev, socket, socket.mode & 07777));
  const Fd tree = TRY(clone_tree(dev.get(), kDraft, false));
  return attach_draft(dev, target, tree);
}

Status mount_device(const Fd& dev, const Fd& old_root, const std::string& target,
                    const PlanMount& node) {
  const Status made = sys::mknod_at(dev.get(), kDraft, node.mode, node.device);
  if (!made) {
    return made.error().os_errno() == EPERM ? mount_host_device(old_root, target, node) : made;
  }
  TRY(set_rights(dev, node, node.mode & 07777));
  const Fd tree = TRY(clone_tree(dev.get(), kDraft, false));
  TRY(allow_devices(tree.get()));
  return attach_draft(dev, target, tree);
}

}  // namespace mybuild::sandbox
