// SPDX-License-Identifier: Apache-2.0
// The identities of a layer made here: one pass over its bytes gives the content digest of each
// file, the change digest, the diff id and the size; on the way a list whose bytes lie elsewhere
// becomes a tree. Thread-safe.
#pragma once

#include "snapshotter/archive/entry.h"

#include <string>

namespace mybuild::snapshotter {

struct LayerIdentity {
  Digest diff_id;
  Digest changes;
  std::uint64_t size = 0;
};

/// Of a finished layer tree, which is normalised on the way (tree_scan.h). Its tar goes to `copies`
/// as well.
Result<LayerIdentity> identify_tree(const std::string& dir, Sink& copies);
/// Of a tree of the store, to see whether it still is what it was; nothing is changed.
Result<LayerIdentity> identify_stored_tree(const std::string& dir);
/// Writes the list into the empty directory `dir`, and its tar to `copies`. DataLoss names a file
/// that is not what the list says.
Result<LayerIdentity> realise_changes(const ChangeRefs& changes, const EntryContents& contents,
                                      const std::string& dir, Sink& copies);

}  // namespace mybuild::snapshotter
