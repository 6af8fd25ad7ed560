// SPDX-License-Identifier: Apache-2.0
// A little room that a store keeps for the day when its disk is full: what makes room has to write
// rows first. Thread-compatible.
#pragma once

#include "snapshotter/base/result.h"

#include <string>

namespace mybuild::snapshotter {

/// Sets the room aside if it is not; where the disk has none, later.
void keep_reserve(const std::string& state_directory);

/// So little room that SQLite's log of many rows may not find any.
Result<bool> is_disk_full(const std::string& directory);

/// The room is there to be used while the object lives, and is set aside again at its end.
class OpenReserve {
 public:
  explicit OpenReserve(std::string state_directory);
  OpenReserve(const OpenReserve&) = delete;
  OpenReserve& operator=(const OpenReserve&) = delete;
  ~OpenReserve();

 private:
  std::string state_directory_;
};

}  // namespace mybuild::snapshotter
