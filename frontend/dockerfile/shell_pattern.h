// SPDX-License-Identifier: Apache-2.0
// The patterns of ${v#p}, ${v%p} and ${v/p/r}: '*', '?', and '\' before one of "*?\/}". No
// brackets. Neither '*' nor '?' crosses a line break. Matching is O(text × pattern), whatever the
// pattern. Immutable; thread-safe.
#pragma once

#include "snapshotter/base/result.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::frontend {

class ShellPattern {
 public:
  /// Fails on a '\' before any other character.
  static Result<ShellPattern> compile(std::string_view text);

  /// How many steps any of the functions below may take on `value`.
  std::size_t work(std::string_view value) const { return value.size() * (tokens_.size() + 1); }

  /// `value` without its shortest or longest front (end) that matches; all of it when none does.
  std::string strip_prefix(std::string_view value, bool longest) const;
  std::string strip_suffix(std::string_view value, bool longest) const;
  struct Replacement {
    std::string_view by;
    bool all = false;
    std::size_t max_size;  // of the result
  };
  /// The first or every match, leftmost and longest, replaced. Fails only on a result too long.
  Result<std::string> replace(std::string_view value, const Replacement& replacement) const;

  /// One character of a pattern.
  struct Token {
    enum class Kind { Literal, AnyOne, AnyMany } kind = Kind::Literal;
    std::string literal;
  };

 private:
  explicit ShellPattern(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  std::vector<Token> tokens_;
};

}  // namespace mybuild::frontend
