// SPDX-License-Identifier: Apache-2.0
// What a power cut leaves of an image whose bytes had not reached the disk: its name, as the
// database may be ahead of the blobs. Thread-safe.
#pragma once

#include "snapshotter/content/content_store.h"
#include "snapshotter/metadata.h"

namespace mybuild::snapshotter {

/// Removes the names of images whose config is not in the store, and says in one warning which.
void forget_lost_names(ContentStore& content, Metadata& metadata, const Warn& warn);

}  // namespace mybuild::snapshotter
