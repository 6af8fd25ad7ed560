// SPDX-License-Identifier: Apache-2.0
#include "frontend/ignore/pattern.h"

#include "frontend/ignore/glob.h"

#include <algorithm>
#include <utility>

namespace mybuild::frontend {

namespace {

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n\v\f";
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

/// How a pattern is looked at; all but the last spare most of them the general matcher. "**/x"
/// matches by one component, wherever it is, "**/x/**" by one with something below it.
enum class Shape { Exact, Prefix, Suffix, Component, Inside, General };

constexpr std::string_view kAnywhere = "**/";
constexpr std::string_view kBelow = "/**";

bool is_one_component(std::string_view text) {
  return !text.empty() && text.find("**") == std::string_view::npos &&
         text.find('/') == std::string_view::npos;
}

/// What the general matcher has to fit.
std::string_view glob_part(std::string_view pattern, Shape shape) {
  if (shape == Shape::Component || shape == Shape::Inside) {
    pattern.remove_prefix(kAnywhere.size());
  }
  if (shape == Shape::Inside) {
    pattern.remove_suffix(kBelow.size());
  }
  return pattern;
}

/// patternmatcher treats "**" at either end of an otherwise plain text as "anything", also inside a
/// component.
Shape shape_of(std::string_view pattern) {
  if (pattern.starts_with(kAnywhere)) {
    if (is_one_component(glob_part(pattern, Shape::Component))) {
      return Shape::Component;
    }
    if (pattern.size() > kAnywhere.size() + kBelow.size() && pattern.ends_with(kBelow)) {
      const std::string_view middle = glob_part(pattern, Shape::Inside);
      if (is_one_component(middle) && !middle.ends_with('\\')) {
        return Shape::Inside;
      }
    }
  }
  const bool deep_front = pattern.starts_with("**");
  std::string_view middle = pattern.substr(deep_front ? 2 : 0);
  const bool deep_end = !deep_front && middle.ends_with("**");
  middle.remove_suffix(deep_end ? 2 : 0);
  if (middle.find_first_of("*?[]\\") != std::string_view::npos) {
    return Shape::General;
  }
  return deep_front ? Shape::Suffix : deep_end ? Shape::Prefix : Shape::Exact;
}

/// "a/b/**" and "a/b/*" stand for what is below a/b.
std::string_view without_trailing_glob(std::string_view pattern) {
  for (const std::string_view tail : {"/**", "/*"}) {
    if (pattern.ends_with(tail)) {
      return pattern.substr(0, pattern.size() - tail.size());
    }
  }
  return pattern;
}

bool is_at_or_below(std::string_view path, std::string_view directory) {
  return path.starts_with(directory) &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

}  // namespace

struct PatternMatcher::Pattern {
  std::string text;
  bool exception = false;
  Shape shape = Shape::Exact;
  Glob glob;

  /// Looks at the path and all directories above it.
  bool matches(std::string_view path) const {
    switch (shape) {
      case Shape::Exact:
        return is_at_or_below(path, text);
      case Shape::Prefix:
        return path.starts_with(std::string_view(text).substr(0, text.size() - 2));
      case Shape::Suffix:
        return ends_any(path, std::string_view(text).substr(2));
      case Shape::Component:
        return fits_any(path);
      case Shape::Inside: {
        const std::size_t last = path.rfind('/');
        return last != std::string_view::npos && fits_any(path.substr(0, last));
      }
      case Shape::General:
        return glob.matches_with_parents(path);
    }
    return false;
  }

 private:
  static bool ends_any(std::string_view path, std::string_view tail) {
    for (std::size_t end = 0; end != std::string_view::npos;) {
      end = path.find('/', end + 1);
      const std::string_view part = path.substr(0, end);
      if (part.ends_with(tail) || (tail.starts_with('/') && part == tail.substr(1))) {
        return true;
      }
    }
    return false;
  }

  bool fits_any(std::string_view path) const {
    while (true) {
      const std::size_t end = path.find('/');
      if (glob.matches(path.substr(0, end))) {
        return true;
      }
      if (end == std::string_view::npos) {
        return false;
      }
      path.remove_prefix(end + 1);
    }
  }
};

Result<bool> match_glob(std::string_view pattern, std::string_view name) {
  const Glob glob = TRY(Glob::compile(pattern, Glob::Dialect::Match));
  return glob.matches(name);
}

bool has_wildcards(std::string_view pattern) {
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '*' || pattern[i] == '?' || pattern[i] == '[') {
      return true;
    }
    i += pattern[i] == '\\' ? 1 : 0;
  }
  return false;
}

std::string clean_path(std::string_view path) {
  const bool rooted = path.starts_with('/');
  std::string out;
  std::size_t floor = 0;  // what ".." cannot take away
  while (!path.empty()) {
    const auto slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    if (part.empty() || part == ".") {
      continue;
    }
    if (part == ".." && out.size() > floor) {
      const auto last = out.rfind('/');
      out.resize(last == std::string::npos || last < floor ? floor : last);
      continue;
    }
    if (part == ".." && rooted) {
      continue;
    }
    out += out.empty() ? "" : "/";
    out += part;
    floor = part == ".." ? out.size() : floor;
  }
  if (rooted) {
    return "/" + out;
  }
  return out.empty() ? "." : out;
}

PatternMatcher::PatternMatcher(std::vector<Pattern> patterns) : patterns_(std::move(patterns)) {}
PatternMatcher::PatternMatcher(PatternMatcher&&) noexcept = default;
PatternMatcher& PatternMatcher::operator=(PatternMatcher&&) noexcept = default;
PatternMatcher::~PatternMatcher() = default;

Result<PatternMatcher> PatternMatcher::compile(const std::vector<std::string>& patterns) {
  std::vector<Pattern> compiled;
  for (const std::string& raw : patterns) {
    const std::string_view trimmed = trim(raw);
    if (trimmed.empty()) {
      continue;
    }
    std::string text = clean_path(trimmed);
    const bool exception = text.starts_with('!');
    text.erase(0, exception ? 1 : 0);
    if (text.empty()) {
      return invalid_argument("illegal exclusion pattern: \"!\"");
    }
    const Shape shape = shape_of(text);
    auto glob = TRY(Glob::compile(glob_part(text, shape), Glob::Dialect::DoubleStar));
    compiled.push_back(Pattern{std::move(text), exception, shape, std::move(glob)});
  }
  return PatternMatcher(std::move(compiled));
}

bool PatternMatcher::matches(std::string_view path) const {
  bool matched = false;
  for (const Pattern& pattern : patterns_) {
    // Only a pattern that would change the answer is looked at.
    if (pattern.exception == matched && pattern.matches(path)) {
      matched = !pattern.exception;
    }
  }
  return matched;
}

bool PatternMatcher::empty() const {
  return patterns_.empty();
}

bool PatternMatcher::may_include_below(std::string_view path) const {
  return std::any_of(patterns_.begin(), patterns_.end(), [&](const Pattern& pattern) {
    if (!pattern.exception) {
      return false;
    }
    const std::string_view stem = without_trailing_glob(pattern.text);
    return stem.find_first_of("*?[\\") != std::string_view::npos || is_at_or_below(stem, path) ||
           is_at_or_below(path, stem);
  });
}

}  // namespace mybuild::frontend
