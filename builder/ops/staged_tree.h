// SPDX-License-Identifier: Apache-2.0
// StagedTree: a tree with changes planned on top of it. A COPY is planned here as a list of entries
// whose bytes still lie in their sources; nothing is written. Parents of what changes come into the
// list with the metadata they have below, so `COPY x /tmp/` leaves /tmp as it is.
// Thread-compatible.
#pragma once

#include "builder/ops/owner.h"
#include "snapshotter/tree_view.h"

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace mybuild::ops {

/// Opens the bytes of one staged file.
using ContentOpener = std::function<Result<Fd>()>;

class StagedTree final : public snapshotter::TreeView {
 public:
  explicit StagedTree(const snapshotter::TreeView& base) : base_(base) {}

  // The planned tree as a view.
  Result<std::optional<snapshotter::Entry>> lookup(std::string_view path) const override;
  Result<std::vector<std::string>> list(std::string_view path) const override;
  Result<std::optional<std::pair<std::uint64_t, std::uint64_t>>> hard_link_id(
      std::string_view path) const override;
  Result<Fd> open(const snapshotter::Entry& entry) const override;

  /// Makes the directory at the resolved `path` and its missing parents like `model` (mode, owner,
  /// mtime); existing ones stay. A file in the way is an error.
  Status make_dirs(const std::string& path, const snapshotter::Entry& model);
  /// Puts an entry at its (resolved) path; its parents must exist. What is there is replaced, but
  /// for a directory that a non-directory would replace and the reverse, which are errors.
  Status put(snapshotter::Entry entry, ContentOpener content);
  /// As put(), but an existing directory is replaced with all below it (archives do that).
  Status replace(snapshotter::Entry entry, ContentOpener content);

  /// All planned changes, sorted; open() has the bytes of its files.
  snapshotter::ChangeList changes() const;

 private:
  struct Staged {
    snapshotter::Entry entry;
    ContentOpener content;
    bool fresh = false;  // a directory that the base does not have: nothing of the base is below it
  };
  const Staged* find(std::string_view path) const;
  /// The base has nothing to say about `path`: a planned ancestor is new, or is no directory.
  bool hidden(std::string_view path) const;
  Status stage_parents(const std::string& path);

  const snapshotter::TreeView& base_;
  std::unordered_map<std::string, Staged> staged_;
};

}  // namespace mybuild::ops
