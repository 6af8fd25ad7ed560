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

/// Calls `take` with every line, its number from 1.
template <class Take>
void for_each_line(std::string_view text, const Take& take) {
  if (text.starts_with(kByteOrderMark)) {
    text.remove_prefix(kByteOrderMark.size());
  }
  for (int line = 1; !text.empty(); ++line) {
    const auto end = text.find('\n');
    take(line, text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

}  // namespace

std::vector<std::string> parse_dockerignore(std::string_view text) {
  std::vector<std::string> patterns;
  for_each_line(text, [&](int, std::string_view line) {
    std::string pattern = parse_line(line);
    if (!pattern.empty()) {
      patterns.push_back(std::move(pattern));
    }
  });
  return patterns;
}

std::optional<IgnoreRule> excluding_rule(std::string_view text, std::string_view path) {
  std::optional<IgnoreRule> found;
  for_each_line(text, [&](int number, std::string_view line) {
    std::string pattern = parse_line(line);
    const bool exception = pattern.starts_with('!');
    if (pattern.empty() || exception != found.has_value()) {
      return;  // it would not change the answer
    }
    const auto matcher = PatternMatcher::compile({pattern.substr(exception ? 1 : 0)});
    if (!matcher || !matcher->matches(path)) {
      return;
    }
    found = exception ? std::nullopt : std::optional(IgnoreRule{number, std::string(trim(line))});
  });
  return found;
}

}  // namespace mybuild::frontend
