// SPDX-License-Identifier: Apache-2.0
// One compiled path pattern: literals, '?', '*', classes and, if asked for, '**'. Matching is
// O(pattern × path), whatever the pattern. Immutable; thread-safe.
#pragma once

#include "snapshotter/base/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mybuild::frontend {

class Glob {
 public:
  enum class Dialect { Match, DoubleStar };  // Go's filepath.Match; moby/patternmatcher
  static Result<Glob> compile(std::string_view pattern, Dialect dialect);

  bool matches(std::string_view path) const;
  /// True if it matches the path, or one of the directories above it.
  bool matches_with_parents(std::string_view path) const;

  struct Token {
    enum class Kind : std::uint8_t {
      Literal,
      One,        // '?'
      Star,       // '*'
      Class,      // [a-z]
      DeepSkip,   // "**/" in front of more: nothing, or …
      DeepLoop,   // … anything that ends in '/'
      Everything  // "**" at the end
    };
    Kind kind = Kind::Literal;
    bool negated = false;
    char32_t literal = 0;
    std::vector<std::pair<char32_t, char32_t>> ranges;
  };

 private:
  explicit Glob(std::vector<Token> tokens);
  bool run(std::string_view path, bool parents) const;

  std::vector<Token> tokens_;
  std::string literal_prefix_;  // both: a cheap no for most paths
  std::string literal_suffix_;
  std::optional<std::size_t> slashes_;  // in all that it matches, where that is one number
};

}  // namespace mybuild::frontend
