// SPDX-License-Identifier: Apache-2.0
// A directory with one file, whose bytes are a blob of the content store. Thread-safe.
#pragma once

#include "snapshotter/content/content_store.h"
#include "snapshotter/tree_view.h"

#include <memory>

namespace mybuild::source {

/// `file.path` is its name, `file.content` the blob. The directory is root's and has the file's
/// time. `content` must outlive the view.
std::unique_ptr<snapshotter::TreeView> make_single_file_view(snapshotter::Entry file,
                                                             snapshotter::ContentStore& content);

}  // namespace mybuild::source
