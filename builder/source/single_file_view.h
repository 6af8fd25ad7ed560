// SPDX-License-Identifier: Apache-2.0
// A directory with one file, whose bytes are somewhere else. Thread-safe as far as `open` is.
#pragma once

#include "snapshotter/tree_view.h"

#include <functional>
#include <memory>

namespace mybuild::source {

/// `file.path` is its name, `file.content` the digest of its bytes; `open` gives them from their
/// start. The directory is root's and has the file's time.
std::unique_ptr<snapshotter::TreeView> make_single_file_view(snapshotter::Entry file,
                                                             std::function<Result<Fd>()> open);

}  // namespace mybuild::source
