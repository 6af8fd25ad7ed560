// SPDX-License-Identifier: Apache-2.0
// What --format makes of lists and of inspect, as docker prints them: an aligned table, JSON, or a
// line per object in a template of the user's (go_template.h). Pure functions to text, thread-safe.
#pragma once

#include "snapshotter/base/result.h"

#include <nlohmann/json_fwd.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::cli {

/// A field of a list's rows.
struct ListField {
  std::string_view name;    // in templates: "RunningFor"
  std::string_view header;  // above its column: "CREATED"
};
struct ListStyle {
  std::span<const ListField> fields;
  std::string_view columns;  // of the table when nobody asks for others: "{{.ID}}\t{{.Names}}"
};
/// An object with all fields of its list, sorted by name.
using ListRow = nlohmann::ordered_json;

/// `format`: "" or "table", "table TEMPLATE", "json", TEMPLATE.
Result<std::string> list_text(const ListStyle& style, const std::vector<ListRow>& rows,
                              std::string_view format);
/// Whether the template asks for a field that is costly to find out.
bool format_has_field(std::string_view format, std::string_view field);

/// `format`: "" is an indented array, "json" one in a line, TEMPLATE gives a line per object.
Result<std::string> inspect_text(const std::vector<nlohmann::ordered_json>& objects,
                                 std::string_view format);
/// What inspect_text() would refuse whatever the objects are.
Status check_inspect_format(std::string_view format);

}  // namespace mybuild::cli
