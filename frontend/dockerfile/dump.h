// SPDX-License-Identifier: Apache-2.0
// The syntax tree as text, one line per instruction, for golden tests and `mybuild graph --ast`.
// Pure; thread-safe.
#pragma once

#include "frontend/dockerfile/ast.h"

#include <string>

namespace mybuild::frontend {

/// "3: (run [--mount=…] json "a" "b")"; heredoc bodies follow as quoted strings.
std::string dump_ast(const Document& document);

}  // namespace mybuild::frontend
