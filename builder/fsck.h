// SPDX-License-Identifier: Apache-2.0
// What a look through the whole store found: every byte of blobs and layer trees read, every name
// followed. Damage is what could give a wrong result or keeps an image or container from working;
// what crashes leave and the next process clears away is none. Value types.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace mybuild::builder {

struct FsckFinding {
  std::string type;  // "database", "blob", "layer", "image", "container"
  std::string id;
  std::string problem;
  bool can_be_repaired = true;
  bool repaired = false;  // what was damaged is gone, and is made again when it is needed
};

struct FsckReport {
  std::uint64_t images = 0;
  std::uint64_t containers = 0;
  std::uint64_t layers = 0;
  std::uint64_t layer_bytes = 0;
  std::uint64_t blobs = 0;
  std::uint64_t blob_bytes = 0;
  std::uint64_t records = 0;
  std::vector<FsckFinding> damage = {};

  std::size_t unrepaired() const {
    return static_cast<std::size_t>(
        std::count_if(damage.begin(), damage.end(),
                      [](const FsckFinding& finding) { return !finding.repaired; }));
  }
  /// Nothing is damaged, or nothing is any more.
  bool is_sound() const { return unrepaired() == 0; }
};

}  // namespace mybuild::builder
