// SPDX-License-Identifier: Apache-2.0
// Lists as docker prints them: an aligned table, one JSON object per row, or what --format asks for
// (text with {{.Field}} and {{json .Field}} in it). Pure functions to text, thread-safe.
#pragma once

#include "snapshotter/base/result.h"

#include <map>
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
using ListRow = std::map<std::string, std::string, std::less<>>;  // by name; all of the fields

struct ListStyle {
  std::span<const ListField> fields;
  std::string_view columns;  // of the table when nobody asks for others: "{{.ID}}\t{{.Names}}"
};

/// `format`: "" or "table", "table TEMPLATE", "json", TEMPLATE.
Result<std::string> list_text(const ListStyle& style, const std::vector<ListRow>& rows,
                              const std::string& format);

}  // namespace mybuild::cli
