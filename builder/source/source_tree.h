// SPDX-License-Identifier: Apache-2.0
// SourceTree: files from outside that steps copy from, and what they are. Value type; the view is
// thread-safe.
#pragma once

#include "snapshotter/base/digest.h"
#include "snapshotter/tree_view.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

namespace mybuild::source {

struct SourceTree {
  /// Stands for all of it in keys. Zero: the files themselves are asked, as of a directory.
  Digest id;
  /// When it was made, in seconds since 1970 (a commit's time, Last-Modified); nullopt: not known.
  std::optional<std::int64_t> time;
  /// Finds the time when `time` does not have it; may fetch. Empty: there is none to find.
  std::function<Result<std::int64_t>()> find_time;
  /// May fetch what it shows when it is first looked into.
  std::shared_ptr<const snapshotter::TreeView> view;
};

}  // namespace mybuild::source
