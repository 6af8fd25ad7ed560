// SPDX-License-Identifier: Apache-2.0
#include "frontend/checks/linter.h"

#include "frontend/checks/predicates.h"

#include <fmt/format.h>

#include <set>

namespace mybuild::frontend::checks {

namespace {

constexpr std::size_t kMaxFindings = 1000;

}  // namespace

bool Linter::applies(const RuleInfo& rule, const Place& place) const {
  if (rule.experimental) {
    return options_.opts_in(rule);
  }
  return !options_.skips(rule) && !comments_skip(place.comments, rule);
}

void Linter::add(Rule rule, const Place& place, std::string detail) {
  const RuleInfo& row = info(rule);
  if (muted_ || findings_.size() >= kMaxFindings || !applies(row, place)) {
    return;
  }
  findings_.push_back({.rule = rule,
                       .detail = std::move(detail),
                       .location = locate_(place.first_line, place.last_line),
                       .opted_in = options_.opts_in(row)});
}

std::string_view Linter::guess(std::string_view said, std::span<const std::string> names) {
  if (!may_guess()) {
    return {};
  }
  ++guesses_;
  return closest(said, names);
}

Status Linter::verdict() const {
  std::set<std::string_view> names;
  for (const Finding& finding : findings_) {
    if (!info(finding.rule).own) {
      names.insert(info(finding.rule).name);
    }
  }
  if (!options_.error || names.empty()) {
    return {};
  }
  return invalid_argument("lint violation found for rules: {}", fmt::join(names, ", "))
      .with_hint("'--check' shows them; the file's check directive makes them errors");
}

}  // namespace mybuild::frontend::checks
