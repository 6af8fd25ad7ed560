// SPDX-License-Identifier: Apache-2.0
// The text of a .dockerignore file as patterns (buildkit frontend/dockerfile docs, "dockerignore
// file"). Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::frontend {

/// Comments and blank lines dropped, patterns trimmed and cleaned, '!' kept in front, leading '/'
/// dropped.
std::vector<std::string> parse_dockerignore(std::string_view text);

/// A line of the file.
struct IgnoreRule {
  int line = 0;
  std::string text;  // trimmed
};
/// The line that excludes the clean relative `path`: the last one that has something to say about
/// it. nullopt when the path is not excluded.
std::optional<IgnoreRule> excluding_rule(std::string_view text, std::string_view path);

}  // namespace mybuild::frontend
