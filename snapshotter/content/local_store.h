// SPDX-License-Identifier: Apache-2.0
// The content store in a directory: blobs/sha256/<hex>, drafts in ingest/. See README.md for the
// commit protocol.
#pragma once

#include "snapshotter/content/content_store.h"

namespace mybuild::snapshotter {

/// Who else may use the directory while the store is open.
enum class ContentUsers {
  /// Other processes: what this one uses is leased until it ends, so that they don't remove it.
  Many,
  /// Nobody, for a process that lives for months and knows by itself what it needs. Nothing is
  /// leased, so remove_unused() takes whatever it is given, and a use is not noted.
  One,
};

/// Makes `directory` if needed and removes drafts that no living process owns.
Result<std::unique_ptr<ContentStore>> make_local_content_store(
    const std::string& directory, ContentUsers users = ContentUsers::Many);

}  // namespace mybuild::snapshotter
