// SPDX-License-Identifier: Apache-2.0
// The patterns of ${v#p}, ${v%p} and ${v/p/r}: '*', '?', and '\' before one of "*?\/}". No
// brackets. Neither '*' nor '?' crosses a line break. Matching is O(text × pattern), whatever the
// pattern. Immutable; thread-safe.
#pragma once

#include "snapshotter/base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace mybuild::frontend {

class ShellPattern {
 public:
  /// Fails on a '\' before any other character.
  static Result<ShellPattern> compile(std::string_view text);

  /// `value` without its shortest or longest front (end) that matches; all of it when none does.
  /// These fail only when text and pattern are both of absurd size.
  Result<std::string> strip_prefix(std::string_view value, bool longest) const;
  Result<std::string> strip_suffix(std::string_view value, bool longest) const;
  /// The first or every match, leftmost and longest, replaced.
  Result<std::string> replace(std::string_view value, std::string_view by, bool all) const;

  /// One character of a pattern.
  struct Token {
    enum class Kind { Literal, AnyOne, AnyMany } kind = Kind::Literal;
    std::string literal;
  };

 private:
  explicit ShellPattern(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}
  Status check_size(std::string_view value) const;

  std::vector<Token> tokens_;
};

}  // namespace mybuild::frontend
