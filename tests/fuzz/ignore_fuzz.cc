// SPDX-License-Identifier: Apache-2.0
// .dockerignore and its patterns. The first line is a path, the rest the file.
#include "frontend/ignore/dockerignore.h"
#include "frontend/ignore/pattern.h"
#include "tests/fuzz/fuzz.h"

namespace mybuild::fuzz {

namespace {

void check_path(std::string_view path) {
  const std::string clean = frontend::clean_path(path);
  require(frontend::clean_path(clean) == clean, "a clean path stays as it is");
  require(clean == "/" || !clean.ends_with('/'), "a clean path has no slash at its end");
}

/// What is skipped unseen, since its folder is, must be excluded.
void check_below(const frontend::PatternMatcher& matcher, std::string_view path) {
  for (auto slash = path.find('/'); slash != std::string_view::npos;
       slash = path.find('/', slash + 1)) {
    const std::string_view folder = path.substr(0, slash);
    if (matcher.matches(folder) && !matcher.may_include_below(folder)) {
      require(matcher.matches(path), "nothing comes back below a folder that may be skipped");
    }
  }
}

}  // namespace

void run(std::string_view input) {
  const auto line = input.find('\n');
  const std::string_view name = input.substr(0, line);
  const std::string_view text =
      line == std::string_view::npos ? std::string_view() : input.substr(line + 1);
  check_path(name);
  const std::string path = frontend::clean_path(name);
  const auto patterns = frontend::parse_dockerignore(text);
  for (const std::string& pattern : patterns) {
    require(!pattern.empty(), "a pattern is not empty");
    if (const auto matched = frontend::match_glob(pattern, path);
        matched && !frontend::has_wildcards(pattern) && pattern.find('\\') == std::string::npos) {
      require(*matched == (pattern == path), "a pattern without wildcards matches itself only");
    }
  }
  const auto matcher = frontend::PatternMatcher::compile(patterns);
  constexpr std::size_t kLong = 500;  // check_below is quadratic
  if (matcher && !path.starts_with('/') && path.size() < kLong) {
    check_below(*matcher, path);
  }
}

}  // namespace mybuild::fuzz
