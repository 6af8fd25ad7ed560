// SPDX-License-Identifier: Apache-2.0
// How deletions look in a layer tree on disk, the only file that knows. Two forms. Overlayfs' own:
// a whiteout is a character device 0/0, a directory that hides what lies below it in lower layers
// has the attribute "trusted.overlay.opaque" = "y" (not "user.", which steps may write). Where the
// file system or our rights do not allow these (an overlayfs, for one), the portable form: both
// marks are sockets without permission bits, a whiteout under the name that it hides, the opaque
// mark as ".wh..wh..opq" in its directory. A socket needs no right and no attribute, and is content
// of no layer: archives have none, and drivers drop what a step left. Readers understand both
// forms, even in one tree. Thread-safe.
#pragma once

#include "snapshotter/base/result.h"

#include <sys/stat.h>

#include <string>
#include <string_view>

namespace mybuild::snapshotter {

bool is_whiteout(const struct stat& info);
/// In overlayfs' form if that is possible at all in this directory. AlreadyExists when the name is
/// taken.
Status make_whiteout(int dirfd, const std::string& name);

/// "trusted.overlay.*" and "user.overlay.*": overlayfs' own notes, which never leave a layer tree.
bool is_overlay_xattr(std::string_view name);
/// The one whose value "y" makes a directory opaque.
bool is_opaque_xattr(std::string_view name);
inline constexpr std::string_view kOpaqueValue = "y";
/// The object that makes the directory it is in opaque; no whiteout, although is_whiteout() is true
/// for it.
bool is_opaque_object(std::string_view name, const struct stat& info);
Result<bool> has_opaque_object(int dirfd, const std::string& directory);

/// `dir_fd`: the directory, O_PATH will do.
Result<bool> is_opaque(int dir_fd);
/// May change the directory's time.
Status set_opaque(int dir_fd);

/// Whether marks that are made in this directory have the form that overlayfs understands. Tries
/// it.
Result<bool> holds_overlay_marks(const std::string& directory);
/// Whether the tree has marks in the portable form. Looks at names and types only.
Result<bool> has_portable_marks(int dir_fd);

}  // namespace mybuild::snapshotter
