// SPDX-License-Identifier: Apache-2.0
// StagedTree: a tree with changes planned on top of it. A COPY is planned here as a list of entries
// whose bytes still lie in their sources; nothing is written. Parents of what changes come into the
// list with the metadata they have below, so `COPY x /tmp/` leaves /tmp as it is. Of the names of
// one file the first in list order is the File, the others are HardLinks to it, whatever came, went
// or was replaced in which order. Thread-compatible.
#pragma once

#include "builder/ops/owner.h"
#include "snapshotter/tree_view.h"

#include <functional>
#include <memory>
#include <set>
#include <string>
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
  /// for a directory that a non-directory would replace and the reverse, which are errors. A
  /// HardLink names a planned file.
  Status put(snapshotter::Entry entry, ContentOpener content);
  /// As put(), but an existing directory is replaced with all below it (archives do that).
  Status replace(snapshotter::Entry entry, ContentOpener content);

  /// One more name for the file at `first`; what is at `path` is replaced. A file of the base
  /// becomes part of the plan with it, as linking copies it up. NotFound without a file there.
  Status link(const std::string& first, const std::string& path);
  /// Gives a planned file, and with it all its names, the mode, owner and mtime of `like`.
  void set_metadata(const std::string& path, const snapshotter::Entry& like);

  /// All planned changes, sorted, until something is planned again; open() has the bytes of the
  /// files.
  snapshotter::ChangeRefs changes();

 private:
  struct PathLess {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const {
      return snapshotter::path_less(a, b);
    }
  };
  /// The names of one file. What is staged under the first has the file's entry and bytes.
  using Names = std::set<std::string, PathLess>;
  struct Staged {
    snapshotter::Entry entry;
    ContentOpener content;
    bool fresh = false;  // a directory that the base does not have: nothing of the base is below it
    std::shared_ptr<Names> names;  // null: there is one
  };
  struct ByPath {
    using is_transparent = void;
    static std::string_view path_of(const std::unique_ptr<Staged>& staged) {
      return staged->entry.path;
    }
    static std::string_view path_of(std::string_view path) { return path; }
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return snapshotter::path_less(path_of(a), path_of(b));
    }
  };
  using StagedSet = std::set<std::unique_ptr<Staged>, ByPath>;  // what is below a path follows it

  /// The first that is not before `path`.
  StagedSet::iterator lower_bound(std::string_view path) const;
  Staged* find(std::string_view path) const;
  Staged& file_of(Staged& name) const;
  /// The base has nothing to say about `path`: a planned ancestor is new, or is no directory.
  bool hidden(std::string_view path) const;
  Status stage_parents(const std::string& path);
  Status set(Staged staged);
  Staged& place(Staged staged);
  /// Takes a name away from its file before something else gets it.
  void release(const std::string& path);
  /// The file's first name is another one now.
  static void hand_on(Staged& from, Staged& to);

  const snapshotter::TreeView& base_;
  StagedSet staged_;
};

}  // namespace mybuild::ops
