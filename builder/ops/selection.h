// SPDX-License-Identifier: Apache-2.0
// Which files a COPY (or a bind mount) takes from a tree. The same walk serves the cache key and
// the copy itself, so a key can not miss a file that is copied. Semantics: reference of BuildKit's
// COPY (wildcards by component, links in the named source followed inside the root, directories by
// their contents).
#pragma once

#include "snapshotter/tree_view.h"
#include "solver/graph/op_spec.h"

#include <span>
#include <string>
#include <vector>

namespace mybuild::ops {

/// One object below (or at) a matched source.
struct SelectedEntry {
  std::string below;         // path below the source; "" is the source itself
  snapshotter::Entry entry;  // as in the source tree; `path` leads to it there
  std::optional<snapshotter::HardLinkId> hard_link;  // equal for names of one file
};

/// One matched source with all it brings. A directory brings its contents, in order, parents first.
struct SelectedSource {
  std::string name;  // last component as it was named, for a destination directory
  bool is_directory = false;
  std::vector<SelectedEntry> entries;
};

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
