// SPDX-License-Identifier: Apache-2.0
// Which files a COPY (or a bind mount) takes from a tree. The same walk serves the cache key and
// the copy itself, so a key can not miss a file that is copied. Semantics: reference of BuildKit's
// COPY (wildcards by component, links in the named source followed inside the root, directories by
// their contents).
#pragma once

#include "snapshotter/tree_view.h"
#include "solver/graph/op_spec.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::ops {

/// One object at (or below) a matched source, as in the source tree: its `path` leads to it there.
using SelectedEntry = snapshotter::ListedEntry;

/// One matched source with all it brings. A directory brings its contents, in order, parents first.
struct SelectedSource {
  std::string name;  // last component as it was named, for a destination directory
  std::string path;  // in the source tree
  bool is_directory = false;
  std::vector<std::reference_wrapper<SelectedEntry>> entries;
  /// What `entries` refers to, as it was listed; so a source can be moved, but not copied.
  std::vector<std::unique_ptr<std::vector<SelectedEntry>>> listings;

  /// Path below the source; "" is the source itself.
  std::string_view below(const SelectedEntry& selected) const {
    const std::string_view whole = selected.entry.path;
    return path.empty() || whole == path ? whole.substr(path.size())
                                         : whole.substr(path.size() + 1);
  }
  void append(std::vector<SelectedEntry> listing) {
    auto& kept = listings.emplace_back(std::make_unique<std::vector<SelectedEntry>>());
    *kept = std::move(listing);
    entries.insert(entries.end(), kept->begin(), kept->end());
  }
};
/// Sources of several selections.
using SourceRefs = std::vector<std::reference_wrapper<const SelectedSource>>;

struct SelectOptions {
  std::vector<std::string> excludes;
  bool parents = false;   // keep the path below the root or the "/./" pivot
  bool wildcards = true;  // false: a pattern is a path, whatever is in it
};

/// All sources of one COPY, in the order of the patterns and of the matches. A wildcard that
/// matches nothing selects nothing; a literal path that is missing is NotFound.
Result<std::vector<SelectedSource>> select(const snapshotter::TreeView& tree,
                                           const std::vector<std::string>& patterns,
                                           const SelectOptions& options);

/// Reads the files whose content digests are not known to fill them in, on all cores; a file that
/// changed since it was selected is taken as it is now.
Status hash_contents(const snapshotter::TreeView& tree, std::vector<SelectedSource>& sources);
/// Some file had other bytes than those of its digest: the next build reads all of them.
void distrust_contents(const snapshotter::TreeView& tree,
                       const std::vector<SelectedSource>& sources);
/// The content key of a selection (solver/key_schema.md). Contents must be hashed. A mount shows
/// the directories that were named themselves, a COPY only what is in them.
enum class NamedDirectories { Shown, NotShown };
Digest selection_digest(const std::vector<SelectedSource>& sources, NamedDirectories named);

}  // namespace mybuild::ops
