// SPDX-License-Identifier: Apache-2.0
// Writing a tree of objects into a directory that may hold other files: all of it is staged in a
// draft inside the directory first, then moved to its place by renames, so a failure while bytes
// are copied changes nothing. Files belong to the caller. Links found in the directory are
// replaced, never followed.
#pragma once

#include "snapshotter/base/cancel.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/lanes.h"
#include "snapshotter/tree_view.h"

#include <string>
#include <utility>
#include <vector>

namespace mybuild::exporter {

class TreeMerge {
 public:
  /// Makes `dest` and its parents if needed; they go again with the object unless commit()
  /// succeeded.
  static Result<TreeMerge> open(const std::string& dest, Lanes& lanes, const Cancel& cancel);
  TreeMerge(TreeMerge&& other) noexcept;
  TreeMerge& operator=(TreeMerge&&) = delete;
  ~TreeMerge();

  /// Stages `entries` (in path order, parents first) below `folder` ("" or a clean name, made if
  /// needed).
  Status stage(const snapshotter::TreeView& view, const snapshotter::ChangeList& entries,
               const std::string& folder);
  /// Moves everything staged into the directory. A directory of it that holds files and would have
  /// to give way to a file is refused before anything moves.
  Status commit();

 private:
  struct Directory {
    std::string path;
    mode_t mode;
    struct timespec mtime;
    snapshotter::Xattrs xattrs;
  };
  TreeMerge(std::vector<std::string> made, TempDir draft, Fd dest_fd, Fd draft_fd, Lanes& lanes,
            const Cancel& cancel);
  Status stage_node(const snapshotter::Entry& entry, const std::string& path);
  Status stage_files(const snapshotter::TreeView& view,
                     const std::vector<const snapshotter::Entry*>& files,
                     const std::string& prefix);
  Status finish_directories();

  std::vector<std::string> made_;  // directories that were not there before
  TempDir draft_;
  Fd dest_fd_;
  Fd draft_fd_;
  Lanes& lanes_;
  const Cancel& cancel_;
  std::vector<Directory> directories_;
};

}  // namespace mybuild::exporter
