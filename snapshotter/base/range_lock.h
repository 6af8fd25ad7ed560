// SPDX-License-Identifier: Apache-2.0
// Locks on names, any number of them in a few files: an open file description lock (fcntl(2), "Open
// file description locks") on the byte that a name hashes to. Nothing is written, nothing is left
// behind, and the kernel drops them with the process, in whatever PID namespace that lived. Two
// names on one byte (one in 2^58) wait for each other and nothing worse. Handles are move-only,
// thread-compatible.
#pragma once

#include "snapshotter/base/fd.h"
#include "snapshotter/base/result.h"

#include <array>
#include <string>
#include <string_view>

namespace mybuild {

class Cancel;

/// Many locks that go together, with the object or the process. What one object holds is in the way
/// of another one, in this process, too; within one object the last call on a name counts.
class RangeLocks {
 public:
  enum class Mode { Shared, Exclusive };

  /// Makes the directory of the lock files if needed.
  static Result<RangeLocks> open(const std::string& directory);

  /// False when somebody else holds the name in a way that excludes `mode`.
  Result<bool> try_lock(std::string_view name, Mode mode);
  /// Waits for the others. For locks that are held for a moment.
  Status lock(std::string_view name, Mode mode);
  /// The same, given up as soon as the stop is asked for: its reason is the error then.
  Status lock(std::string_view name, Mode mode, const Cancel& cancel);
  Status unlock(std::string_view name);

 private:
  struct Place;
  explicit RangeLocks(std::string directory) : directory_(std::move(directory)) {}
  Result<Place> place_of(std::string_view name);

  std::string directory_;
  // The kernel walks through all locks of a file for each one, so they are spread.
  std::array<Fd, 16> files_;  // opened when first needed
};

}  // namespace mybuild
