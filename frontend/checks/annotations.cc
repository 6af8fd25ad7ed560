// SPDX-License-Identifier: Apache-2.0
#include "frontend/checks/report.h"
#include "snapshotter/base/json.h"

#include <fmt/format.h>

#include <iterator>

namespace mybuild::frontend::checks {

namespace {

using Object = nlohmann::ordered_json;

constexpr std::string_view kErrorId = "BuildError";

const std::string& path_of(const CheckReport& report) {
  return report.source.path.empty() ? report.source.file : report.source.path;
}

Object place(const std::string& file, const SourceLocation* location) {
  Object physical{{"artifactLocation", {{"uri", file}}}};
  if (location != nullptr && location->first_line > 0) {
    physical["region"] = {{"startLine", location->first_line}, {"endLine", location->last_line}};
  }
  return Object::array({Object{{"physicalLocation", std::move(physical)}}});
}

Object rule_object(const RuleInfo& rule) {
  Object out{{"id", rule.name}, {"shortDescription", {{"text", rule.description}}}};
  if (const std::string address = url(rule); !address.empty()) {
    out["helpUri"] = address;
  }
  return out;
}

Object result(std::string_view id, std::string_view level, const std::string& text,
              Object locations) {
  return Object{{"ruleId", id},
                {"level", level},
                {"message", {{"text", text}}},
                {"locations", std::move(locations)}};
}

/// What GitHub's log lines reserve is written as %XX.
std::string escaped(std::string_view text, std::string_view reserved) {
  std::string out;
  for (const char c : text) {
    if (reserved.find(c) == std::string_view::npos) {
      out += c;
    } else {
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string annotation(std::string_view level, const std::string& file,
                       const SourceLocation* location, std::string_view title,
                       std::string_view text) {
  constexpr std::string_view kInProperties = "%\r\n:,";
  constexpr std::string_view kInText = "%\r\n";
  std::string out = fmt::format("::{} file={}", level, escaped(file, kInProperties));
  if (location != nullptr && location->first_line > 0) {
    out += fmt::format(",line={},endLine={}", location->first_line, location->last_line);
  }
  return fmt::format("{},title={}::{}\n", out, escaped(title, kInProperties),
                     escaped(text, kInText));
}

}  // namespace

std::string to_sarif(const CheckReport& report) {
  const std::string& file = path_of(report);
  Object rules = Object::array();
  for (const RuleInfo& rule : all_rules()) {
    rules.push_back(rule_object(rule));
  }
  Object results = Object::array();
  for (const Finding& finding : report.findings) {
    const RuleInfo& rule = info(finding.rule);
    results.push_back(result(rule.name, rule.own ? "note" : "warning", finding.detail,
                             place(file, &finding.location)));
  }
  if (report.error) {
    results.push_back(result(kErrorId, "error", message_of(*report.error),
                             place(file, report.error->location())));
    rules.push_back(Object{{"id", kErrorId}, {"shortDescription", {{"text", "The build fails"}}}});
  }
  const Object driver{{"name", "mybuild"}, {"rules", std::move(rules)}};
  const Object run{{"tool", {{"driver", driver}}}, {"results", std::move(results)}};
  const Object out{{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                   {"version", "2.1.0"},
                   {"runs", Object::array({run})}};
  return out.dump(2, ' ', false, Object::error_handler_t::replace) + "\n";
}

std::string to_github(const CheckReport& report) {
  std::string out;
  for (const Finding& finding : report.findings) {
    const RuleInfo& rule = info(finding.rule);
    out += annotation(rule.own ? "notice" : "warning", path_of(report), &finding.location,
                      rule.name, finding.detail);
  }
  if (report.error) {
    out += annotation("error", path_of(report), report.error->location(), kErrorId,
                      message_of(*report.error));
  }
  return out;
}

}  // namespace mybuild::frontend::checks
