// SPDX-License-Identifier: Apache-2.0
// Writes a ChangeList as a layer tree, in list order: each parent before its children, file bytes
// through the caller. A directory gets its metadata when the list has left it, as making children
// changes its times. Thread-compatible.
#pragma once

#include "snapshotter/archive/entry.h"
#include "snapshotter/base/fd.h"

#include <functional>
#include <vector>

namespace mybuild::snapshotter {

class TreeWriter {
 public:
  /// Ends a directory that the list has left with finish_directory() (tree_entry.h), or has it done
  /// by others who still make things in it.
  using Leave = std::function<Status(const Entry& entry, Fd dir)>;

  explicit TreeWriter(Fd root);
  TreeWriter(Fd root, Leave leave) : root_(std::move(root)), leave_(std::move(leave)) {}

  /// For all but files. The list must be sorted, and every parent in it.
  Status add(const Entry& entry);
  /// An empty file; end it with finish_file() (tree_entry.h).
  Result<Fd> create(const Entry& entry);
  /// add() and create() in two parts: where an entry goes (the descriptor is open until the list
  /// leaves that directory), and, for all but files and directories, making it there: any thread.
  Result<int> parent_of(const Entry& entry);
  Status make(const Entry& entry, int parent) const;
  /// After the last entry; finish() does it if nobody has.
  Status leave_all();
  /// Once, after the last entry.
  Status finish();

 private:
  struct OpenDir {
    const Entry* entry;
    Fd fd;
  };
  Status leave_last();

  Fd root_;
  Leave leave_;
  const Entry* root_entry_ = nullptr;
  std::vector<OpenDir> open_;  // from the root down to where the list is
};

}  // namespace mybuild::snapshotter
