// SPDX-License-Identifier: Apache-2.0
// A layer tree on disk (layer_store.h) as a ChangeList: what the layer's tar and its change digest
// are made of. Names of one file become HardLink entries to the first of them; a HardLink has no
// size, no attributes and no content of its own. Thread-safe.
#pragma once

#include "snapshotter/archive/entry.h"

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

namespace mybuild::snapshotter {

struct ScannedTree {
  ChangeList changes;         // without the root
  std::uint64_t size = 0;     // of all files
  std::vector<ino_t> inodes;  // of each change, if they were asked for
};

struct ScanOptions {
  /// Make the tree what the list says: whole-second times, no sockets (layer_store.h: tree or blob,
  /// the same result).
  bool normalise = false;
  bool note_inodes = false;
};

Result<ScannedTree> scan_layer_tree(int root_fd, ScanOptions options = {});
/// Opens files of the tree by their path, never leaving it or following a link.
std::unique_ptr<EntryContents> tree_contents(Fd root_fd);

}  // namespace mybuild::snapshotter
