// SPDX-License-Identifier: Apache-2.0
// Parser: logical lines to nodes, by a table from verb to argument grammar. Unknown verbs become
// nodes without arguments; saying so is left to the typed instructions. Pure; thread-safe.
#pragma once

#include "frontend/dockerfile/ast.h"
#include "snapshotter/base/result.h"

#include <string_view>

namespace mybuild::frontend {

/// Fails with a place in the text; on an empty file, on a file without instructions, on bytes that
/// are no text.
Result<Document> parse(const SourceMap& source, std::string_view text);

}  // namespace mybuild::frontend
