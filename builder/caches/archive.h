// SPDX-License-Identifier: Apache-2.0
// Cache mounts as one tar, so that a CI job can carry them. It begins with cache-mounts.json, which
// says what makes each cache the one it is, so an import needs no flags; <n>/<slot> below are the
// files of the n-th, with owners, modes, carried attributes (snapshotter/archive/format.md), hard
// links and mtimes in whole seconds. Thread-safe.
#pragma once

#include "builder/caches/store.h"
#include "snapshotter/base/bytes.h"
#include "snapshotter/base/cancel.h"

#include <functional>

namespace mybuild::caches {

/// Called before a wait for steps that use a cache.
using OnWait = std::function<void(const Cache& cache)>;

/// Uncompressed. Nobody else can use a cache while it is read: waits for those who do. Caches
/// without a record have no identity to carry: InvalidArgument.
Status export_caches(const std::vector<Cache>& caches, Sink& sink, const OnWait& on_wait,
                     const Cancel& cancel);

/// Whatever the archive's bytes are, nothing is written but in `scratch` (an empty directory on the
/// store's file system) and, once all of it was read, in the caches. With `id` they are called so.
Result<std::vector<Cache>> import_caches(Source& archive, const CacheStore& store,
                                         const std::string& scratch,
                                         const std::optional<std::string>& id);

}  // namespace mybuild::caches
