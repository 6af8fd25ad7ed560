// SPDX-License-Identifier: Apache-2.0
// Paths that come from outside (images, archives, Dockerfiles) and must not leave their root:
// openat2(2) with RESOLVE_IN_ROOT does the walking, so "..", absolute links and races cannot
// escape. Thread-safe.
#pragma once

#include "snapshotter/base/fd.h"
#include "snapshotter/base/result.h"

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace mybuild {

/// Lexical clean-up of an absolute or relative path: no ".", "..", doubled or trailing slashes;
/// ".." stops at the root. The answer has no leading slash; the root is "".
std::string clean_relative(std::string_view path);
/// As clean_relative, with one leading slash.
std::string clean_absolute(std::string_view path);
/// `path` if absolute, else `base`/`path`; cleaned.
std::string resolve_absolute(std::string_view base, std::string_view path);
/// The components of clean_relative(path).
std::vector<std::string> path_components(std::string_view path);

/// Opens `path` below `root_fd`, all links resolved inside the root. Flags as for open(2);
/// O_NOFOLLOW keeps a final link.
Result<Fd> open_in_root(int root_fd, std::string_view path, int flags, mode_t mode = 0);
/// Makes what is missing of the directory `path` below `root_fd` with `mode` (umask ignored) and
/// opens it.
Result<Fd> make_dirs_in_root(int root_fd, std::string_view path, mode_t mode, uid_t uid, gid_t gid);

}  // namespace mybuild
