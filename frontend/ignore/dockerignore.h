// SPDX-License-Identifier: Apache-2.0
// The text of a .dockerignore file as patterns (buildkit frontend/dockerfile docs, "dockerignore
// file"). Thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mybuild::frontend {

/// Comments and blank lines dropped, patterns trimmed and cleaned, '!' kept in front, leading '/'
/// dropped.
std::vector<std::string> parse_dockerignore(std::string_view text);

}  // namespace mybuild::frontend
