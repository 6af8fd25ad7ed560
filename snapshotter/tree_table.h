// SPDX-License-Identifier: Apache-2.0
// TreeTable: the part of the store's database that knows the layer trees, one row each. A row is
// written before its tree gets its name, so a tree without a row is one whose row was lost; a row
// without a tree is harmless. Thread-safe, safe between processes.
#pragma once

#include "snapshotter/base/digest.h"
#include "snapshotter/base/result.h"

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace mybuild::snapshotter {

struct LayerRow {
  Digest diff_id;
  std::optional<Digest> changes;
  std::uint64_t size = 0;
  std::int64_t created = 0;  // seconds since the epoch
};

struct TreeRow {
  std::string name;  // of its directory in layers/
  Digest diff_id;
  std::uint64_t size = 0;              // bytes of its files
  std::int64_t created = 0;            // seconds since the epoch
  bool synced = false;                 // all of it is known to be on the disk
  Digest seal;                         // tree_seal.h
  std::uint64_t disk = 0;              // bytes of its blocks; 0: an older mybuild did not note them
  std::optional<Digest> witness = {};  // tree_witness.h; of a tree from outside
};

/// What is noted of a tree that is about to get its name.
struct SealedTree {
  TreeRow tree;
  LayerRow layer;
};

class TreeTable {
 public:
  virtual ~TreeTable() = default;
  /// Trees that are about to get their names, and their layers, if those have no row yet; others
  /// see all of them or none.
  virtual Status put(std::span<const SealedTree> trees) = 0;
  Status put(const TreeRow& tree, const LayerRow& layer) {
    const SealedTree one{.tree = tree, .layer = layer};
    return put(std::span(&one, 1));
  }
  /// Layers whose trees are there already, if they have no row or one that says less.
  virtual Status put_layers(std::span<const LayerRow> layers) = 0;
  virtual Result<std::optional<TreeRow>> find(const std::string& name) = 0;
  virtual Result<std::vector<TreeRow>> all() = 0;
  /// The tree was looked through and is as it should be.
  virtual Status set_seal(const std::string& name, const Digest& seal, bool synced) = 0;
  virtual Result<std::set<std::string>> synced_names() = 0;

  /// What was not known to be on the disk, by a number that no other row ever gets.
  struct Unsynced {
    std::int64_t id = 0;
    std::string name;
    std::int64_t created = 0;
  };
  virtual Result<std::vector<Unsynced>> unsynced() = 0;
  virtual Status mark_synced(std::span<const std::int64_t> ids) = 0;

  /// Forgets trees, and of layers that have no other tree everything that needs one: their rows,
  /// their cache records, the commits that were checked out into them.
  virtual Status remove(std::span<const std::string> names) = 0;
};

}  // namespace mybuild::snapshotter
