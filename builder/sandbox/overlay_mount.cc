// SPDX-License-Identifier: Apache-2.0
#include "builder/sandbox/overlay_mount.h"

#include "snapshotter/base/sys.h"

#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>

namespace mybuild::sandbox {

namespace {

/// An overlay without an upper layer needs two lower ones: an empty directory in memory goes below
/// a single one.
Status add_empty_layer(OpenLayers& layers) {
  if (::mount("tmpfs", layers.place.c_str(), "tmpfs", MS_RDONLY, "size=4k,nr_inodes=2") < 0) {
    return os_error(errno, "mount an empty layer");
  }
  layers.lower.insert(layers.lower.begin(), TRY(sys::open(layers.place, O_PATH | O_DIRECTORY)));
  return {};
}

std::string overlay_options(const OpenLayers& layers) {
  std::string options = "lowerdir=";
  for (auto layer = layers.lower.rbegin(); layer != layers.lower.rend(); ++layer) {
    options += std::to_string(layer->get());
    options += ':';
  }
  options.pop_back();
  if (layers.upper) {
    options += fmt::format(",upperdir={},workdir={}", layers.upper.get(), layers.work.get());
  }
  if (layers.upper && !layers.durable) {
    options += ",volatile";  // or the end of each step would write all of the file system to disk
  }
  // Said explicitly, as modules have other defaults: layers must hold whole files (metacopy),
  // renamed directories must be copies (redirect_dir), and a layer may be used by many mounts
  // (index).
  options += ",metacopy=off,redirect_dir=nofollow,index=off";
  return options;
}

/// Where the kernel cannot make its directory below `work`, it mounts read-only and says so in the
/// kernel's log alone (ovl_get_workdir): the step would see a root that cannot be written.
Status check_writable(const Fd& root, const OpenLayers& layers) {
  struct statvfs info {};
  if (::fstatvfs(root.get(), &info) < 0) {
    return os_error(errno, "look at the overlay");
  }
  if (!layers.upper || (info.f_flag & ST_RDONLY) == 0) {
    return {};
  }
  TRY(sys::mkdir_at(layers.work.get(), "again", 0700).context("make the overlay's work directory"));
  return unsupported("the kernel made the overlay read-only");
}

}  // namespace

Result<OpenLayers> open_layers(const snapshotter::RootMount& root) {
  OpenLayers layers;
  for (const std::string& directory : root.lower) {
    layers.lower.push_back(TRY(sys::open(directory, O_PATH | O_DIRECTORY).context("layer")));
  }
  if (layers.lower.empty()) {
    return invalid_argument("an overlay needs at least one layer");
  }
  if (!root.upper.empty()) {
    layers.upper = TRY(sys::open(root.upper, O_PATH | O_DIRECTORY).context("upper directory"));
    layers.work = TRY(sys::open(root.work, O_PATH | O_DIRECTORY).context("work directory"));
  }
  layers.durable = root.durable;
  layers.place = root.upper.empty() ? root.lower.back() : root.upper;
  layers.place_fd = TRY(sys::open(layers.place, O_PATH | O_DIRECTORY));
  return layers;
}

Result<Fd> mount_overlay(OpenLayers layers, unsigned long flags) {
  if (!layers.upper && layers.lower.size() == 1) {
    TRY(add_empty_layer(layers));
  }
  if (::chdir("/proc/self/fd") < 0) {
    return os_error(errno, "enter /proc/self/fd");
  }
  const std::string target = std::to_string(layers.place_fd.get());
  const std::string options = overlay_options(layers);
  if (::mount("overlay", target.c_str(), "overlay", flags, options.c_str()) < 0) {
    return os_error(errno, "mount overlay");
  }
  Fd root = TRY(sys::open(layers.place, O_PATH | O_DIRECTORY));
  if ((flags & MS_RDONLY) == 0) {
    TRY(check_writable(root, layers));
  }
  return root;
}

}  // namespace mybuild::sandbox
