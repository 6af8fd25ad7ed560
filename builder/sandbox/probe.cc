// SPDX-License-Identifier: Apache-2.0
#include "builder/sandbox/probe.h"

#include "builder/sandbox/overlay_mount.h"
#include "builder/sandbox/rights.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

#include <sched.h>
#include <sys/mount.h>

#include <cerrno>

namespace mybuild::sandbox {

namespace {

Status own_mounts() {
  if (::unshare(CLONE_NEWNS) < 0) {
    return explain_rights(os_error(errno, "make a mount namespace"));
  }
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0) {
    return explain_rights(os_error(errno, "make mounts private"));
  }
  return {};
}

/// Rewrites an overlay over two files' worth of layers.
Status change_overlay(const snapshotter::RootMount& root) {
  OpenLayers layers = TRY(open_layers(root));
  const Fd merged = TRY(mount_overlay(std::move(layers), MS_NODEV));
  TRY(sys::unlink_at(merged.get(), "gone"));
  TRY(sys::unlink_at(merged.get(), "new", AT_REMOVEDIR));
  return sys::mkdir_at(merged.get(), "new", 0755);
}

Status check_marks(int upper) {
  const struct stat gone = TRY(sys::lstat_at(upper, "gone"));
  if (!S_ISCHR(gone.st_mode) || gone.st_rdev != 0) {
    return unsupported("overlayfs leaves no whiteout here");
  }
  const Fd replaced = TRY(sys::open_at(upper, "new", O_RDONLY | O_DIRECTORY));
  const std::optional<std::string> opaque =
      TRY(sys::get_xattr(replaced.get(), "trusted.overlay.opaque"));
  if (!opaque || *opaque != "y") {
    return unsupported("overlayfs leaves no opaque mark here");
  }
  return {};
}

}  // namespace

Status probe_overlay(const std::string& directory) {
  const TempDir place = TRY(TempDir::create(directory, "probe-"));
  TRY(own_mounts());
  snapshotter::RootMount root;
  root.lower = {place.path() + "/lower"};
  root.upper = place.path() + "/upper";
  root.work = place.path() + "/work";
  for (const std::string& path : {root.lower[0], root.upper, root.work, root.lower[0] + "/new"}) {
    TRY(make_dirs(path));
  }
  TRY(write_file(root.lower[0] + "/gone", ""));
  const Fd upper = TRY(sys::open(root.upper, O_RDONLY | O_DIRECTORY));
  const Status changed = change_overlay(root);
  if (::chdir("/") < 0 || (changed && ::umount2(root.upper.c_str(), MNT_DETACH) < 0)) {
    return os_error(errno, "unmount");
  }
  if (!changed) {
    return explain_rights(changed.error()).context("overlay in " + directory);
  }
  return check_marks(upper.get()).context("overlay in " + directory);
}

}  // namespace mybuild::sandbox
