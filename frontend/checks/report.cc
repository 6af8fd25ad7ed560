// SPDX-License-Identifier: Apache-2.0
#include "frontend/checks/report.h"

#include <fmt/format.h>

#include <algorithm>

namespace mybuild::frontend::checks {

bool CheckReport::failed() const {
  return error.has_value() ||
         std::any_of(findings.begin(), findings.end(),
                     [](const Finding& finding) { return !info(finding.rule).own; });
}

std::string message_of(const Error& error) {
  return error.hint().starts_with("did you mean")
             ? fmt::format("{} ({})", error.message(), error.hint())
             : error.message();
}

std::string title_of(const Finding& finding) {
  return fmt::format("{}: {}", info(finding.rule).name, finding.detail);
}

}  // namespace mybuild::frontend::checks
