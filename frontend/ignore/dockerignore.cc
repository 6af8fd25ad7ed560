// SPDX-License-Identifier: Apache-2.0
#include "frontend/ignore/dockerignore.h"

#include "frontend/ignore/pattern.h"

namespace mybuild::frontend {

namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n\v\f";
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

/// "" for a line that says nothing.
std::string parse_line(std::string_view line) {
  if (line.starts_with('#')) {
    return {};
  }
  line = trim(line);
  if (line.empty()) {
    return {};
  }
  const bool exception = line.starts_with('!');
  if (exception) {
    line = trim(line.substr(1));
  }
  std::string pattern = line.empty() ? std::string() : clean_path(line);
  if (pattern.size() > 1 && pattern[0] == '/') {
    pattern.erase(0, 1);
  }
  return exception ? "!" + pattern : pattern;
}

}  // namespace

std::vector<std::string> parse_dockerignore(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) {
    text.remove_prefix(kByteOrderMark.size());
  }
  std::vector<std::string> patterns;
  while (!text.empty()) {
    const auto end = text.find('\n');
    std::string pattern = parse_line(text.substr(0, end));
    if (!pattern.empty()) {
      patterns.push_back(std::move(pattern));
    }
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return patterns;
}

}  // namespace mybuild::frontend
