// SPDX-License-Identifier: Apache-2.0
// A local context as steps see it: a directory read in place, without what .dockerignore excludes,
// everything owned by root (BuildKit's client does the same while it sends). Thread-safe.
#pragma once

#include "snapshotter/base/result.h"
#include "snapshotter/content_memory.h"
#include "snapshotter/tree_view.h"

#include <memory>
#include <string>
#include <vector>

namespace mybuild::source {

/// `ignore`: patterns of the ignore file (frontend/ignore/dockerignore.h), possibly none. `memory`:
/// where digests of files that did not change come from.
Result<std::unique_ptr<snapshotter::TreeView>> open_local_context(
    const std::string& directory, const std::vector<std::string>& ignore,
    snapshotter::ContentMemory memory = {});

}  // namespace mybuild::source
