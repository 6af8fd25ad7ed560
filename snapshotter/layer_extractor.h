// SPDX-License-Identifier: Apache-2.0
// Unpacks one layer blob from outside into an empty directory, alone, without the layers below.
// Nothing in the archive can reach out of that directory: links in a path lead where they would in
// a container rooted there. What can only be decided with the layers below is noted for
// chain_fixup.h. Thread-safe.
#pragma once

#include "snapshotter/archive/entry.h"
#include "snapshotter/base/bytes.h"
#include "snapshotter/read_ahead.h"
#include "snapshotter/tree_witness.h"

#include <string>
#include <vector>

namespace mybuild::snapshotter {

/// What a layer expects of those below it. Empty for most layers: their tree is the same above any
/// other.
struct LowerNeeds {
  /// Directories that the tar has something in but does not describe, sorted; their metadata is the
  /// lower one's.
  std::vector<std::string> implied_dirs;
  /// Hard links to files that are not in this layer, in archive order.
  struct Link {
    std::string path;
    std::string target;
  };
  std::vector<Link> links;
  /// The root hides all below. overlayfs does not look at the root's mark, so each lower name is
  /// hidden by its own.
  bool opaque_root = false;

  bool empty() const { return implied_dirs.empty() && links.empty() && !opaque_root; }
};

struct ExtractedLayer {
  Digest diff_id;  // of the tar bytes to their end, whatever follows the archive included
  std::uint64_t size = 0;
  LowerNeeds needs;
  KnownContents contents;  // of the files that are there at the end, and of some that went
};

/// Reads `blob` (compressed or not) to its end.
Result<ExtractedLayer> extract_layer(Source& blob, const std::string& dir,
                                     ReadAhead::Reader reader = ReadAhead::Reader::Thread);

}  // namespace mybuild::snapshotter
