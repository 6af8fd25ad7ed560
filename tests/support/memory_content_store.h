// SPDX-License-Identifier: Apache-2.0
// A ContentStore that keeps its blobs in memory, for tests of boxes above it. Thread-safe.
#pragma once

#include "snapshotter/content/content_store.h"

#include <memory>

namespace mybuild::snapshotter {

std::unique_ptr<ContentStore> make_memory_content_store();

}  // namespace mybuild::snapshotter
