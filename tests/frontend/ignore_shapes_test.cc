// SPDX-License-Identifier: Apache-2.0
// PatternMatcher looks at most patterns by shorter ways than its general matcher: both must agree.
#include "frontend/ignore/glob.h"
#include "frontend/ignore/pattern.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

namespace mybuild::frontend {
namespace {

/// As defined: the pattern fits the path, or a directory above it.
bool fits_path_or_parent(const Glob& glob, std::string_view path) {
  for (std::size_t end = path.find('/'); end != std::string_view::npos;
       end = path.find('/', end + 1)) {
    if (glob.matches(path.substr(0, end))) {
      return true;
    }
  }
  return glob.matches(path);
}

std::vector<std::string> all_paths() {
  const std::vector<std::string> names = {"a", "ab", "b.o", ".c", "é"};
  std::vector<std::string> paths;
  for (const std::string& first : names) {
    paths.push_back(first);
    for (const std::string& second : names) {
      paths.push_back(fmt::format("{}/{}", first, second));
      for (const std::string& third : names) {
        paths.push_back(fmt::format("{}/{}/{}", first, second, third));
      }
    }
  }
  return paths;
}

TEST(IgnoreShapes, EveryShorterWayLeadsWhereTheGeneralOneDoes) {
  const std::vector<std::string> paths = all_paths();
  for (const char* pattern :
       {"*.o",      "a*",       "*",          "*/*",       "a/*",      "*/ab",
        "?",        "a?",       "*/*.o/a",    "*/?/.c",    "[a-b]*",   "[^a]b",
        "a[^x]b",   "[^x]*",    "a/[^x]",     "\\a/*",     "a\\/*",    "**/*.o",
        "**/a",     "**/?",     "**/a/**",    "**/*.o/**", "**/a/b.o", "**/a/*",
        "a/**/b.o", "*/**/b.o", "**/[^a]/**", "**/a\\/**", "*b/**"}) {
    const auto matcher = PatternMatcher::compile({pattern});
    const auto glob = Glob::compile(pattern, Glob::Dialect::DoubleStar);
    ASSERT_TRUE(matcher && glob) << pattern;
    for (const std::string& path : paths) {
      EXPECT_EQ(matcher->matches(path), fits_path_or_parent(*glob, path)) << pattern << " " << path;
    }
  }
}

}  // namespace
}  // namespace mybuild::frontend
