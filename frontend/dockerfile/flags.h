// SPDX-License-Identifier: Apache-2.0
// The --name=value flags of an instruction, checked against the table of those it takes.
// Thread-compatible.
#pragma once

#include "snapshotter/base/result.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::frontend {

enum class FlagType { Bool, Text, Texts };
struct FlagRule {
  std::string_view name;
  FlagType type = FlagType::Text;
};

class Flags {
 public:
  /// Fails on an unknown flag (with a hint), a repeated one that may be given once, a missing or
  /// malformed value.
  static Result<Flags> parse(const std::vector<std::string>& words,
                             std::span<const FlagRule> rules);

  bool has(std::string_view name) const { return !texts(name).empty(); }
  /// "" when it was not given.
  std::string text(std::string_view name) const;
  std::vector<std::string> texts(std::string_view name) const;
  std::optional<bool> boolean(std::string_view name) const;

 private:
  struct Flag {
    std::string name;
    std::string value;
  };
  std::vector<Flag> flags_;
};

}  // namespace mybuild::frontend
