// SPDX-License-Identifier: Apache-2.0
// Layers are published without fsync, so after a power loss some may have files whose bytes never
// reached the disk. The first store after a reboot notes which trees were not known to be there
// (TreeRow::synced); each of them is checked when it is first wanted. Thread-safe.
#pragma once

#include "snapshotter/base/result.h"
#include "snapshotter/tree_table.h"

#include <memory>
#include <string>

namespace mybuild::snapshotter {

class PowerLossNotes {
 public:
  /// `root`: the state directory; `layers`: the directory of layer trees.
  static Result<std::unique_ptr<PowerLossNotes>> open(const std::string& root,
                                                      const std::string& layers, TreeTable& trees);
  virtual ~PowerLossNotes() = default;
  /// No store was opened in this boot before, as far as is known.
  virtual bool is_first_of_boot() const = 0;
  /// True when the tree `name` must be checked before it is used.
  virtual bool is_suspect(const std::string& name) = 0;
  /// The tree was checked (or made again).
  virtual Status clear(const std::string& name) = 0;
};

}  // namespace mybuild::snapshotter
