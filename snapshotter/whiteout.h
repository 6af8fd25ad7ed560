// SPDX-License-Identifier: Apache-2.0
// How deletions look in a layer tree on disk, the only file that knows: a whiteout is a character
// device 0/0, a directory that hides what lies below it in lower layers has the attribute
// "overlay.opaque" = "y" in the namespace "trusted.", or "user." where the process may not write
// the former. overlayfs and our own views read both. Thread-safe.
#pragma once

#include "snapshotter/base/result.h"

#include <sys/stat.h>

#include <string>
#include <string_view>

namespace mybuild::snapshotter {

bool is_whiteout(const struct stat& info);
Status make_whiteout(int dirfd, const std::string& name);

/// "trusted.overlay.*" and "user.overlay.*": overlayfs' own notes, which never leave a layer tree.
bool is_overlay_xattr(std::string_view name);
/// One of them whose value "y" makes a directory opaque.
bool is_opaque_xattr(std::string_view name);
inline constexpr std::string_view kOpaqueValue = "y";

/// `dir_fd`: the directory, O_PATH will do.
Result<bool> is_opaque(int dir_fd);
Status set_opaque(int dir_fd);

}  // namespace mybuild::snapshotter
