// SPDX-License-Identifier: Apache-2.0
// Overlay mounts of any depth without the new mount API: every layer is opened first, and the
// option page names the layers by descriptor number ("lowerdir=12:11:10", relative to
// /proc/self/fd), so that 500 layers, the kernel's limit, take 2 KiB of its 4, no path needs
// quoting, and the host's paths do not show in the step's mount table. Single-threaded: the working
// directory changes.
#pragma once

#include "snapshotter/base/fd.h"
#include "snapshotter/base/result.h"
#include "snapshotter/snapshotter.h"

#include <string>
#include <vector>

namespace mybuild::sandbox {

/// The layers of an overlay, held so that mounts made over their paths do not matter.
struct OpenLayers {
  std::vector<Fd> lower;  // lowest first
  Fd upper;
  Fd work;
  bool durable = false;
  std::string place;  // a layer's own directory, which the overlay is mounted over
  Fd place_fd;
};

Result<OpenLayers> open_layers(const snapshotter::RootMount& root);
/// Mounts in the private mount namespace of this process; the answer is the root directory of the
/// overlay. Unless it is durable, what is written is never synced ("volatile"), as the store does
/// not trust a half-done step; the work directory must be fresh then. `flags`: of mount(2).
Result<Fd> mount_overlay(OpenLayers layers, unsigned long flags);

}  // namespace mybuild::sandbox
