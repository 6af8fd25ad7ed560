// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/list_format.h"

#include "cmd/mybuild/cli/go_template.h"
#include "cmd/mybuild/cli/table_text.h"
#include "snapshotter/base/json.h"

#include <fmt/format.h>

#include <algorithm>

namespace mybuild::cli {

namespace {

std::string_view trimmed(std::string_view text) {
  const std::size_t first = std::min(text.find_first_not_of(' '), text.size());
  text.remove_prefix(first);
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

/// In a shell's quotes a tab is usually written as \t.
std::string unescaped(std::string_view text) {
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

template <class Map>
std::string to_json(const Map& row) {
  return Json(row).dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// The headings as a row: rendering them also finds what the template asks for and no row has.
Result<std::string> render_headings(const std::string& text, std::span<const ListField> fields) {
  std::map<std::string, std::string_view> headings;
  std::string names;
  for (const ListField& field : fields) {
    headings.emplace(field.name, field.header);
    names += fmt::format("{}.{}", names.empty() ? "" : " ", field.name);
  }
  TRY(check_template(text));
  Result<std::string> line = render_template(text, to_json(headings));
  return line ? line : std::move(line).error().with_hint("known fields are " + names);
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

}  // namespace

Result<std::string> list_text(const ListStyle& style, const std::vector<ListRow>& rows,
                              const std::string& format) {
  constexpr std::string_view kTable = "table";
  std::string_view text = format.empty() ? kTable : std::string_view(format);
  const bool table = text == kTable || text.starts_with("table ");
  if (table) {
    const std::string_view rest = trimmed(text.substr(kTable.size()));
    text = rest.empty() ? style.columns : rest;
  } else if (text == "json") {
    text = "{{json .}}";
  }
  const std::string line = unescaped(text);
  std::string out;
  std::vector<std::vector<std::string>> lines = {
    cells_of(TRY(render_headings(line, style.fields)))
  };
  for (const ListRow& row : rows) {
    const std::string rendered = TRY(render_template(line, to_json(row)));
    out += rendered + "\n";
    lines.push_back(cells_of(rendered));
  }
  return table ? table_text(lines) : out;
}

}  // namespace mybuild::cli
