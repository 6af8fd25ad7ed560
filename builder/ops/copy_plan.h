// SPDX-License-Identifier: Apache-2.0
// How a COPY lands in a tree: from selected sources to staged entries, by BuildKit's rules (shared
// semantics of COPY and ADD; fsutil's copy). Pure planning: nothing is written, the sources' bytes
// are not read. Thread-compatible.
#pragma once

#include "builder/ops/mode.h"
#include "builder/ops/owner.h"
#include "builder/ops/selection.h"
#include "builder/ops/staged_tree.h"

#include <memory>
#include <optional>
#include <string>

namespace mybuild::ops {

struct CopyPlanOptions {
  std::string dest;  // absolute; a trailing slash means a directory
  std::optional<Ids> owner;
  std::optional<ModeChange> mode;
  struct timespec invented_mtime {};
};

/// Plans one source. `from` and `source` must outlive the staged tree's contents.
Status plan_copy(StagedTree& to, const snapshotter::TreeView& from, const SelectedSource& source,
                 const CopyPlanOptions& options);

/// ADD of a local archive: if `file` (in `from`) is a tar of any supported compression, its entries
/// are planned below the destination and true is returned; `scratch` gets the bytes of its files.
/// Every name stays below the destination.
Result<bool> plan_unpack(StagedTree& to, const snapshotter::TreeView& from,
                         const snapshotter::Entry& file, const CopyPlanOptions& options,
                         const std::string& scratch);

/// The entry that made-up directories are modelled on.
snapshotter::Entry directory_model(const CopyPlanOptions& options);

}  // namespace mybuild::ops
