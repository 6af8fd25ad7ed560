// SPDX-License-Identifier: Apache-2.0
// What openat2(2) does, by openat(2) of one name after the other: for kernels before 5.6, sandboxes
// that hide the call, and valgrind 3.19. Slower, and as safe: no link is left to the kernel, and
// ".." goes back to the directory that was come from, so no rename beside it leads out.
// Thread-safe.
#pragma once

#include "snapshotter/base/fd.h"
#include "snapshotter/base/result.h"

#include <sys/types.h>

#include <cstdint>
#include <string_view>

namespace mybuild {

/// Opens `path` below `dirfd` (or AT_FDCWD). `resolve` has RESOLVE_IN_ROOT or RESOLVE_BENEATH, and
/// may have RESOLVE_NO_SYMLINKS, _NO_MAGICLINKS and _NO_XDEV. Errors are those of openat2 (EXDEV:
/// led out; ELOOP: a link, or too many), with two differences: a magic link of /proc is followed by
/// its text, which stays inside, and NO_XDEV sees other file systems, not mounts of the same one.
Result<Fd> walk_and_open(int dirfd, std::string_view path, int flags, std::uint64_t resolve,
                         mode_t mode = 0);

}  // namespace mybuild
