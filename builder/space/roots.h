// SPDX-License-Identifier: Apache-2.0
// What images and containers need: the marks of the collector. Thread-safe.
#pragma once

#include "builder/run/container_store.h"
#include "snapshotter/metadata.h"

#include <string>
#include <unordered_set>

namespace mybuild::space {

struct Needed {
  std::unordered_set<std::string> trees;  // names of directories in layers/
  std::unordered_set<Digest> layers;      // diff ids
  std::unordered_set<Digest> blobs;

  /// All of a chain, lowest first.
  void add_layers(const std::vector<Digest>& diff_ids);
};

/// Fails when anything cannot be found out: then nothing is known to be free. An image without its
/// config is no image any more and needs nothing.
Result<Needed> find_needed(const std::string& root, snapshotter::Metadata& metadata,
                           run::ContainerStore& containers);

/// A small blob without a lease, its bytes checked; nullopt when it is not there as it should be.
Result<std::optional<std::string>> peek_blob(const std::string& root, const Digest& digest);

}  // namespace mybuild::space
