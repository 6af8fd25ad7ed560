// SPDX-License-Identifier: Apache-2.0
#include "frontend/checks/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace mybuild::frontend::checks {

namespace {

constexpr std::string_view kRule = "--------------------\n";

std::string summary(std::size_t count) {
  switch (count) {
    case 0:
      return "Check complete, no warnings found.\n";
    case 1:
      return "Check complete, 1 warning has been found!\n";
    default:
      return fmt::format("Check complete, {} warnings have been found!\n", count);
  }
}

void append(std::string& out, const Finding& finding) {
  const RuleInfo& rule = info(finding.rule);
  const std::string address = url(rule);
  fmt::format_to(std::back_inserter(out), "\n{}: {}{}{}\n{}\n{}:{}\n{}{}{}",
                 rule.own ? "NOTE" : "WARNING", rule.name, address.empty() ? "" : " - ", address,
                 finding.detail, finding.location.file, finding.location.first_line, kRule,
                 finding.location.excerpt, kRule);
}

/// Columns as wide as their widest cell, with `gap` blanks between.
std::string table(const std::vector<std::vector<std::string>>& rows, std::size_t gap) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  std::string out;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool is_last = i + 1 == row.size();
      fmt::format_to(std::back_inserter(out), "{:{}}", row[i], is_last ? 0 : widths[i] + gap);
    }
    out.erase(out.find_last_not_of(' ') + 1);
    out += '\n';
  }
  return out;
}

std::string credentials(std::string_view heading, const std::vector<Outline::Credential>& list) {
  if (list.empty()) {
    return {};
  }
  std::vector<std::vector<std::string>> rows{{std::string(heading), "REQUIRED"}};
  for (const Outline::Credential& one : list) {
    rows.push_back({one.name, one.required ? "true" : ""});
  }
  return table(rows, 3) + "\n";
}

}  // namespace

std::string to_text(const CheckReport& report) {
  const auto warnings =
      std::count_if(report.findings.begin(), report.findings.end(),
                    [](const Finding& finding) { return !info(finding.rule).own; });
  // A check that an error ended is not complete.
  std::string out =
      report.error && warnings == 0 ? "" : summary(static_cast<std::size_t>(warnings));
  for (const Finding& finding : report.findings) {
    append(out, finding);
  }
  return out;
}

std::string to_text(const Outline& outline) {
  std::string out;
  if (!outline.name.empty() || !outline.description.empty()) {
    std::vector<std::vector<std::string>> rows{
        {"TARGET:", outline.name.empty() ? "(default)" : outline.name}};
    if (!outline.description.empty()) {
      rows.push_back({"DESCRIPTION:", outline.description});
    }
    out += table(rows, 1) + "\n";
  }
  if (!outline.args.empty()) {
    std::vector<std::vector<std::string>> rows{{"BUILD ARG", "VALUE", "DESCRIPTION"}};
    for (const Outline::Argument& arg : outline.args) {
      rows.push_back({arg.name, arg.value, arg.description});
    }
    out += table(rows, 3) + "\n";
  }
  out += credentials("SECRET", outline.secrets) + credentials("SSH", outline.ssh);
  if (!outline.caches.empty()) {
    std::vector<std::vector<std::string>> rows{{"CACHE"}};
    for (const Outline::Cache& cache : outline.caches) {
      rows.push_back({cache.id});
    }
    out += table(rows, 3) + "\n";
  }
  return out;
}

std::string to_text(const TargetList& list) {
  std::vector<std::vector<std::string>> rows{{"TARGET", "DESCRIPTION"}};
  for (const TargetList::Target& target : list.targets) {
    const bool named = !target.name.empty();
    rows.push_back({target.name + (target.is_default ? (named ? " (default)" : "(default)") : ""),
                    target.description});
  }
  return table(rows, 1);
}

}  // namespace mybuild::frontend::checks
