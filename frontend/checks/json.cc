// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/json.h"

#include "frontend/checks/report.h"
#include "snapshotter/base/base64.h"

#include <algorithm>

namespace mybuild::frontend::checks {

namespace {

// Objects keep the order in which BuildKit writes their fields.
using Object = nlohmann::ordered_json;

std::string print(const Object& json) {
  return json.dump(2, ' ', false, Object::error_handler_t::replace) + "\n";
}

constexpr int kMaxRanges = 1000;

/// One range per line, as BuildKit has it.
Object location(Lines lines) {
  Object out = Object::object();
  const int last = std::min(lines.last, lines.first + kMaxRanges - 1);
  for (int line = lines.first; line > 0 && line <= last; ++line) {
    out["ranges"].push_back(Object{{"start", {{"line", line}}}, {"end", {{"line", line}}}});
  }
  return out;
}

Lines lines_of(const SourceLocation& location) {
  return {location.first_line, location.last_line};
}

void put(Object& json, const char* key, const std::string& value) {
  if (!value.empty()) {
    json[key] = value;
  }
}

Object warning(const Finding& finding) {
  const RuleInfo& rule = info(finding.rule);
  Object out{{"ruleName", rule.name}, {"description", rule.description}};
  put(out, "url", url(rule));
  out["detail"] = finding.detail;
  out["location"] = location(lines_of(finding.location));
  return out;
}

Object credentials(const std::vector<Outline::Credential>& list) {
  Object out = Object::array();
  for (const Outline::Credential& one : list) {
    Object json{{"name", one.name}};
    if (one.required) {
      json["required"] = true;
    }
    json["location"] = location(one.lines);
    out.push_back(std::move(json));
  }
  return out;
}

Object argument(const Outline::Argument& arg) {
  Object out{{"name", arg.name}};
  put(out, "description", arg.description);
  put(out, "value", arg.value);
  out["location"] = location(arg.lines);
  return out;
}

Object target(const TargetList::Target& one) {
  Object out = Object::object();
  put(out, "name", one.name.empty() && one.is_default ? "(default)" : one.name);
  if (one.is_default) {
    out["default"] = true;
  }
  put(out, "description", one.description);
  put(out, "base", one.base);
  put(out, "platform", one.platform);
  out["location"] = location(one.lines);
  return out;
}

Object sources(const SourceText& source) {
  return Object::array({base64_encode(source.text)});
}

}  // namespace

std::string to_json(const CheckReport& report) {
  Object out{{"warnings", Object::array()}};
  for (const Finding& finding : report.findings) {
    if (!info(finding.rule).own || finding.opted_in) {
      out["warnings"].push_back(warning(finding));
    }
  }
  Object source{{"filename", report.source.file},
                {"data", base64_encode(report.source.text)},
                {"language", "Dockerfile"}};
  out["sources"] = Object::array({std::move(source)});
  if (report.error) {
    const SourceLocation* place = report.error->location();
    out["buildError"] =
        Object{{"message", message_of(*report.error)},
               {"location", location(place != nullptr ? lines_of(*place) : Lines())}};
  }
  return print(out);
}

std::string to_json(const Outline& outline) {
  Object out = Object::object();
  put(out, "name", outline.name);
  put(out, "description", outline.description);
  if (!outline.args.empty()) {
    out["args"] = Object::array();
    for (const Outline::Argument& arg : outline.args) {
      out["args"].push_back(argument(arg));
    }
  }
  if (!outline.secrets.empty()) {
    out["secrets"] = credentials(outline.secrets);
  }
  if (!outline.ssh.empty()) {
    out["ssh"] = credentials(outline.ssh);
  }
  if (!outline.caches.empty()) {
    out["cache"] = Object::array();
    for (const Outline::Cache& cache : outline.caches) {
      out["cache"].push_back(Object{{"ID", cache.id}, {"location", location(cache.lines)}});
    }
  }
  out["sources"] = sources(outline.source);
  return print(out);
}

std::string to_json(const TargetList& list) {
  Object out{{"targets", Object::array()}};
  for (const TargetList::Target& one : list.targets) {
    out["targets"].push_back(target(one));
  }
  out["sources"] = sources(list.source);
  return print(out);
}

}  // namespace mybuild::frontend::checks
