// SPDX-License-Identifier: Apache-2.0
// "-" as a context: standard input is an archive with the files, or the Dockerfile itself.
// Thread-safe (no state).
#pragma once

#include "builder/source/source_tree.h"
#include "snapshotter/base/bytes.h"

#include <string>
#include <variant>

namespace mybuild::builder {

/// An archive becomes a directory with the one file "context" (kContextFile), whose bytes lie in a
/// file without a name: nothing has to be cleaned up. Text may have `text_limit` bytes.
using StdinContext = std::variant<source::SourceTree, std::string>;
Result<StdinContext> read_stdin_context(Source& input, std::size_t text_limit);

}  // namespace mybuild::builder
