// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/table_text.h"

#include "cmd/mybuild/cli/go_template.h"
#include "cmd/mybuild/progress/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace mybuild::cli {

std::string table_text(const std::vector<std::vector<std::string>>& lines) {
  std::vector<std::size_t> widths;
  for (const auto& line : lines) {
    widths.resize(std::max(widths.size(), line.size()), 10);
    for (std::size_t i = 0; i < line.size(); ++i) {
      widths[i] = std::max(widths[i], progress::display_width(line[i]) + 3);
    }
  }
  std::string out;
  for (const auto& line : lines) {
    for (std::size_t i = 0; i + 1 < line.size(); ++i) {
      out += line[i];
      out.append(widths[i] - progress::display_width(line[i]), ' ');
    }
    out += line.back() + "\n";
  }
  return out;
}

Status set_list_format(ListFormat& format, std::string_view value) {
  format = {};
  if (value == "table" || value.empty()) {
    return {};
  }
  if (value == "json") {
    format.json = true;
    return {};
  }
  if (value.starts_with("table ")) {
    return unsupported("format '{}' is not supported yet", value)
        .with_hint("a template without \"table\" gives its lines, json everything");
  }
  format.line = value;
  return check_template(value);
}

Result<std::string> format_rows(const ListFormat& format, std::size_t count,
                                const std::function<std::string(std::size_t)>& json) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    out += (format.json ? json(i) : TRY(render_template(format.line, json(i)))) + "\n";
  }
  return out;
}

}  // namespace mybuild::cli
