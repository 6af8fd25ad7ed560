// SPDX-License-Identifier: Apache-2.0
// TreeView: a file tree that can be looked at without mounting it: a directory, or a stack of layer
// trees with whiteouts and opaque directories applied as overlayfs would. Links are never followed
// by lookup() and list(); resolve() walks them inside the tree. Thread-safe.
#pragma once

#include "snapshotter/archive/entry.h"
#include "snapshotter/content_memory.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::snapshotter {

/// {device, inode} of a File, equal for hard links to one file, for tools that must keep them
/// together.
using HardLinkId = std::pair<std::uint64_t, std::uint64_t>;

/// One object of a directory.
struct ListedEntry {
  Entry entry;
  std::optional<HardLinkId> hard_link;  // as hard_link_id() says
};
/// Whether a name in a directory is asked for.
using NameFilter = std::function<bool(const std::string& name)>;

class TreeView : public EntryContents {
 public:
  /// The object at a clean relative path ("" = root), links not followed in the last component;
  /// every parent must be a directory. nullopt when there is none. Files come without `content`
  /// unless it is known without reading them, hard links as Files.
  virtual Result<std::optional<Entry>> lookup(std::string_view path) const = 0;
  /// Names in a directory, sorted bytewise.
  virtual Result<std::vector<std::string>> list(std::string_view path) const = 0;
  /// nullopt when the file has one name only.
  virtual Result<std::optional<HardLinkId>> hard_link_id(std::string_view path) const = 0;

  /// list(), and lookup() and hard_link_id() of each name that is wanted, in one go: a large
  /// directory costs little more than its stat calls where the view can do better than that.
  virtual Result<std::vector<ListedEntry>> read_directory(std::string_view path,
                                                          const NameFilter& wanted) const;
  /// Reads a File to fill in its `content`. All else of the entry becomes what it was meanwhile, as
  /// a file that changed since lookup() is taken as it is now. One that keeps changing is DataLoss.
  virtual Status hash(Entry& file) const;
  /// The file's bytes turned out not to be those of `content`: what led to that is forgotten.
  virtual void distrust(const Entry&) const {}

  /// Follows links in all components (the last one only if `follow_last`), inside the tree, at most
  /// 255 of them. Returns the clean path where the object is or, if it is missing, would be:
  /// missing components are kept as they are.
  Result<std::string> resolve(std::string_view path, bool follow_last = true) const;
  /// The bytes of a small file after resolve(); nullopt when missing or not a regular file.
  Result<std::optional<std::string>> read_small(std::string_view path, std::size_t limit) const;
};

/// A plain directory: `root` is opened, and never left.
Result<std::unique_ptr<TreeView>> open_directory_view(const std::string& root,
                                                      ContentMemory memory = {});
/// Layer trees in the store's form (layer_store.h), lowest first. An empty stack is an empty root
/// directory.
Result<std::unique_ptr<TreeView>> open_layered_view(const std::vector<std::string>& layer_dirs);

}  // namespace mybuild::snapshotter
