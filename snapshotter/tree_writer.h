// SPDX-License-Identifier: Apache-2.0
// Writes a ChangeList as a layer tree, in list order: each parent before its children, file bytes
// through the caller. Metadata of directories comes last, in finish(), as making children changes
// their times. Thread-compatible.
#pragma once

#include "snapshotter/archive/entry.h"
#include "snapshotter/base/fd.h"

#include <string>
#include <vector>

namespace mybuild::snapshotter {

class TreeWriter {
 public:
  explicit TreeWriter(Fd root) : root_(std::move(root)) {}

  /// For all but files. The list must be sorted, and every parent in it.
  Status add(const Entry& entry);
  /// An empty file; end it with finish_file() (tree_entry.h).
  Result<Fd> create(const Entry& entry);
  /// Once, after the last entry.
  Status finish();

 private:
  struct OpenDir {
    const Entry* entry;
    Fd fd;
  };
  Result<int> parent_of(const Entry& entry);
  Status leave();

  Fd root_;
  const Entry* root_entry_ = nullptr;
  std::vector<OpenDir> open_;  // from the root down to where the list is
};

}  // namespace mybuild::snapshotter
