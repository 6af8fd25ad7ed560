// SPDX-License-Identifier: Apache-2.0
// What the parts of the registry work on. All of it outlives them and is thread-safe.
#pragma once

#include "builder/cache_server/store/blob_keeper.h"
#include "builder/cache_server/store/blob_store.h"
#include "builder/cache_server/store/meta_store.h"
#include "snapshotter/base/clock.h"

#include <cstdint>
#include <functional>
#include <string>

namespace mybuild::cache_server {

struct RegistryDeps {
  BlobStore& blobs;
  BlobKeeper& keeper;
  MetaStore& meta;
  const Clock& clock;
  /// How many bytes all uploads together may have that are not committed yet; `wanted`: how many
  /// they will have, for which room is made if that is possible. Asked at least once for each MiB
  /// that comes.
  std::function<std::uint64_t(std::uint64_t wanted)> space_left;
  /// Likewise of this namespace, which may have a share of its own: when `wanted` are about to
  /// come.
  std::function<std::uint64_t(const std::string& space, std::uint64_t wanted)> share_left;
  bool anonymous_read = false;  // as for AccessControl
};

}  // namespace mybuild::cache_server
