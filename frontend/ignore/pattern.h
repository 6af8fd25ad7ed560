// SPDX-License-Identifier: Apache-2.0
// The path patterns of .dockerignore, COPY --exclude and COPY sources (behaviour of
// moby/patternmatcher and of Go's filepath.Match): compiled once, matched often. Thread-safe to
// match.
#pragma once

#include "snapshotter/base/result.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::frontend {

/// Go's filepath.Match: one pattern against one path, '*' and '?' stop at '/', [a-z] classes, '\'
/// escapes.
Result<bool> match_glob(std::string_view pattern, std::string_view name);
/// True if `pattern` holds '*', '?' or '[' that no '\' takes the meaning from.
bool has_wildcards(std::string_view pattern);
/// Go's path.Clean: no "//", "." or inner "..", no trailing '/'; "" gives ".".
std::string clean_path(std::string_view path);

/// An ordered list of patterns with '!' exceptions; the last match wins; a pattern also matches all
/// below what it matches.
class PatternMatcher {
 public:
  static Result<PatternMatcher> compile(const std::vector<std::string>& patterns);
  PatternMatcher(PatternMatcher&&) noexcept;
  PatternMatcher& operator=(PatternMatcher&&) noexcept;
  ~PatternMatcher();

  /// `path`: relative, clean. Looks at the path and all its parents.
  bool matches(std::string_view path) const;
  bool empty() const;
  /// False when no '!' pattern could bring back anything below the excluded directory `path`, so it
  /// can be skipped.
  bool may_include_below(std::string_view path) const;

 private:
  struct Pattern;
  explicit PatternMatcher(std::vector<Pattern> patterns);
  std::vector<Pattern> patterns_;
};

}  // namespace mybuild::frontend
