// SPDX-License-Identifier: Apache-2.0
// The seal of a layer tree: digests of what stat(2) says of all in it. No content is read, about a
// microsecond per file. Thread-safe.
#pragma once

#include "snapshotter/base/digest.h"
#include "snapshotter/base/result.h"

#include <cstdint>
#include <string>

namespace mybuild::snapshotter {

enum class SealMatch {
  Same,
  Copied,  // another inode's story, as after a copy or a restore of the store, or a hand that hid
           // itself: names, types, modes, owners, sizes and mtimes are the same, ctimes are not
  Changed,
};

struct TreeSeal {
  Digest digest;
  std::uint64_t disk = 0;  // bytes of blocks that its objects take, each file once
};

/// Half of the digest is made of names, types, modes, owners, sizes and mtimes, half of ctimes,
/// too. Files of trees have whole-second times, so any write through the file system changes both;
/// nobody can set a ctime.
Result<TreeSeal> seal_of_tree(const std::string& path);

SealMatch compare_seals(const Digest& noted, const Digest& now);

}  // namespace mybuild::snapshotter
