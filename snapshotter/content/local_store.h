// SPDX-License-Identifier: Apache-2.0
// The content store in a directory: blobs/sha256/<hex>, drafts in ingest/. See README.md for the
// commit protocol.
#pragma once

#include "snapshotter/content/content_store.h"

namespace mybuild::snapshotter {

/// Makes `directory` if needed and removes drafts that no living process owns.
Result<std::unique_ptr<ContentStore>> make_local_content_store(const std::string& directory);

}  // namespace mybuild::snapshotter
