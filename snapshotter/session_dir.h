// SPDX-License-Identifier: Apache-2.0
// The places of a state directory where unfinished and unwanted trees are. tmp/<session>/ belongs
// to one open store, which holds a lock on it for its whole life; a session nobody holds is what a
// killed process left and goes to trash/. Trees in trash/ are removed by a thread that gives way
// when the store closes; what is left waits for the next store, as deleting large trees makes the
// file system slow for those who wait. Thread-safe, and safe between processes.
#pragma once

#include "snapshotter/base/file.h"
#include "snapshotter/base/result.h"

#include <memory>
#include <string>

namespace mybuild::snapshotter {

class SessionDir {
 public:
  /// Makes `root`/tmp and `root`/trash. The session itself is made when first used.
  static Result<std::unique_ptr<SessionDir>> open(const std::string& root);
  virtual ~SessionDir() = default;
  /// A new empty directory.
  virtual Result<TempDir> make() = 0;
  /// Takes a tree out of the way now and removes it later. A missing path is success.
  virtual Status discard(const std::string& path) = 0;
  /// Removes what is in trash/ now, in this thread.
  virtual Status empty_trash() = 0;
};

}  // namespace mybuild::snapshotter
