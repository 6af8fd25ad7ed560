// SPDX-License-Identifier: Apache-2.0
// A BlobStore that keeps its blobs in memory, for tests of boxes above it. Thread-safe.
#pragma once

#include "builder/cache_server/store/blob_store.h"

#include <memory>

namespace mybuild::cache_server {

std::unique_ptr<BlobStore> make_memory_blob_store();

}  // namespace mybuild::cache_server
