// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/list_format.h"

#include "cmd/mybuild/cli/go_template.h"
#include "cmd/mybuild/cli/table_text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace mybuild::cli {

namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr std::string_view kTable = "table";
constexpr std::string_view kWholeObject = "{{json .}}";

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

/// The headings as a row: rendering them also finds what the template asks for and no row has.
Result<std::string> render_headings(const Template& line, std::span<const ListField> fields) {
  OrderedJson headings = OrderedJson::object();
  std::string names;
  for (const ListField& field : fields) {
    headings[std::string(field.name)] = field.header;
    names += fmt::format("{}.{}", names.empty() ? "" : " ", field.name);
  }
  Result<std::string> text = line.render(headings);
  return text ? text : std::move(text).error().with_hint("known fields are " + names);
}

}  // namespace

Result<std::string> list_text(const ListStyle& style, const std::vector<ListRow>& rows,
                              std::string_view format) {
  std::string_view text = format.empty() ? kTable : format;
  const bool table = text == kTable || text.starts_with("table ");
  if (table) {
    text.remove_prefix(std::min(text.find_first_not_of(' ', kTable.size()), text.size()));
    text = text.empty() ? style.columns : text;
  } else if (text == "json") {
    text = kWholeObject;
  }
  const Template line = TRY(Template::parse(unescaped(text)));
  const std::string headings = TRY(render_headings(line, style.fields));
  std::vector<std::vector<std::string>> lines = {cells_of(headings)};
  std::string out;
  for (const ListRow& row : rows) {
    const std::string rendered = TRY(line.render(row));
    if (table) {
      lines.push_back(cells_of(rendered));
    } else {
      out += rendered + "\n";
    }
  }
  return table ? table_text(std::move(lines)) : out;
}

bool format_has_field(std::string_view format, std::string_view field) {
  return format.find(fmt::format(".{}", field)) != std::string_view::npos;
}

Result<std::string> inspect_text(const std::vector<OrderedJson>& objects, std::string_view format) {
  if (format.empty() || format == "json") {
    const int indent = format.empty() ? 4 : -1;
    return OrderedJson(objects).dump(indent, ' ', false, OrderedJson::error_handler_t::replace) +
           "\n";
  }
  const Template line = TRY(Template::parse(format));
  std::string out;
  for (const OrderedJson& object : objects) {
    const std::string rendered = TRY(line.render(object));
    out += rendered + "\n";
  }
  return out;
}

Status check_inspect_format(std::string_view format) {
  TRY(Template::parse(format));
  return {};
}

}  // namespace mybuild::cli
