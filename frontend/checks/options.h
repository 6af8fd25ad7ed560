// SPDX-License-Identifier: Apache-2.0
// Which rules apply: "skip=Rule1,Rule2;error=true;experimental=all" as the check directive, the
// build argument BUILDKIT_DOCKERFILE_CHECK and comments above an instruction have it. Value type;
// parsing is pure.
#pragma once

#include "frontend/checks/rules.h"
#include "snapshotter/base/result.h"

#include <set>
#include <span>
#include <string>
#include <string_view>

namespace mybuild::frontend::checks {

struct Options {
  bool skip_all = false;
  std::set<std::string, std::less<>> skipped;
  bool experimental_all = false;
  std::set<std::string, std::less<>> experimental;
  bool error = false;  // findings fail the build

  bool skips(const RuleInfo& rule) const { return skip_all || skipped.contains(rule.name); }
  bool opts_in(const RuleInfo& rule) const {
    return experimental_all || experimental.contains(rule.name);
  }
};

Result<Options> parse_options(std::string_view text);
/// True if a comment above an instruction ("check=skip=Rule // reason") says that the rule is not
/// for it. What cannot be read says nothing.
bool comments_skip(std::span<const std::string> comments, const RuleInfo& rule);
/// True for comments that are meant for us, not for a reader.
bool is_check_comment(std::string_view comment);

}  // namespace mybuild::frontend::checks
