// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/list_format.h"

#include "cmd/mybuild/cli/go_template.h"
#include "cmd/mybuild/cli/table_text.h"
#include "snapshotter/base/json.h"

#include <fmt/format.h>

#include <algorithm>

namespace mybuild::cli {

namespace {

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

}  // namespace

Result<std::string> list_text(const ListStyle& style, const std::vector<ListRow>& rows,
                              const std::string& format) {
  constexpr std::string_view kTable = "table";
  std::string_view text = format.empty() ? kTable : std::string_view(format);
  const bool table = text == kTable || text.starts_with("table ");
  if (table) {
    text.remove_prefix(std::min(text.find_first_not_of(' ', kTable.size()), text.size()));
    text = text.empty() ? style.columns : text;
  } else if (text == "json") {
    text = "{{json .}}";
  }
  const std::string line = unescaped_format(text);
  std::string out;
  const std::string headings = TRY(render_headings(line, style.fields));
  std::vector<std::vector<std::string>> lines = {cells_of(headings)};
  for (const ListRow& row : rows) {
    const std::string rendered = TRY(render_template(line, to_json(row)));
    out += rendered + "\n";
    lines.push_back(cells_of(rendered));
  }
  return table ? table_text(lines) : out;
}

}  // namespace mybuild::cli
