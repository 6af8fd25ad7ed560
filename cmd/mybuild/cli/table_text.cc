// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/table_text.h"

#include "cmd/mybuild/cli/go_template.h"
#include "cmd/mybuild/progress/text.h"
#include "snapshotter/base/json.h"

#include <fmt/format.h>

#include <algorithm>

namespace mybuild::cli {

namespace {

/// "CreatedAt" → "CREATED AT"; two are docker's own.
std::string heading_of(const std::string& field) {
  if (field == "ID") {
    return "IMAGE ID";
  }
  if (field == "CreatedSince") {
    return "CREATED";
  }
  std::string out;
  for (const char letter : field) {
    const bool capital = letter >= 'A' && letter <= 'Z';
    out += capital && !out.empty() ? " " : "";
    out += capital ? letter : static_cast<char>(letter - 'a' + 'A');
  }
  return out;
}

/// The fields of a row with their headings as values.
std::string headings_of(const std::string& row) {
  Json headings = Json::object();
  const Json fields = Json::parse(row, nullptr, false);
  for (const auto& [field, value] : fields.items()) {
    headings[field] = heading_of(field);
  }
  return headings.dump();
}

}  // namespace

std::string unescaped_format(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view pair = text.substr(i, 2);
    if (pair == "\\t" || pair == "\\n") {
      out += pair[1] == 't' ? '\t' : '\n';
      ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::vector<std::string> cells_of(std::string_view line) {
  std::vector<std::string> cells;
  for (;;) {
    const std::size_t tab = line.find('\t');
    cells.emplace_back(line.substr(0, tab));
    if (tab == std::string_view::npos) {
      return cells;
    }
    line.remove_prefix(tab + 1);
  }
}

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
    format.table = true;
    value.remove_prefix(std::min(value.find_first_not_of(' ', 5), value.size()));
  }
  format.line = unescaped_format(value);
  return check_template(format.line);
}

Result<std::string> format_rows(const ListFormat& format, std::size_t count,
                                const std::function<std::string(std::size_t)>& json) {
  std::string out;
  std::vector<std::vector<std::string>> lines;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string row = json(i);
    if (format.table && lines.empty()) {
      lines.push_back(cells_of(TRY(render_template(format.line, headings_of(row)))));
    }
    const std::string line = format.json ? row : TRY(render_template(format.line, row));
    lines.push_back(cells_of(line));
    out += line + "\n";
  }
  return format.table ? table_text(lines) : out;
}

}  // namespace mybuild::cli
