// SPDX-License-Identifier: Apache-2.0
// Lists as docker prints them: columns of equal width, or a line per row in a format of the user's.
// Pure, thread-safe.
#pragma once

#include "snapshotter/base/result.h"

#include <functional>
#include <string>
#include <vector>

namespace mybuild::cli {

/// The first line is the heading. Columns are three blanks apart and at least ten wide.
std::string table_text(const std::vector<std::vector<std::string>>& lines);

/// What --format says of a list.
struct ListFormat {
  bool json = false;      // one JSON object per line
  bool table = false;     // the lines are cells between tabs, below headings
  std::string line = {};  // a template for each row; "" = the table as it is
};
/// In a shell's quotes a tab is usually written as \t.
std::string unescaped_format(std::string_view text);
/// What stands between tabs.
std::vector<std::string> cells_of(std::string_view line);

/// "json", "table", "table TEMPLATE", or a template.
Status set_list_format(ListFormat& format, std::string_view value);

/// One line per row; `json` gives a row's object. Only for formats that are no table.
Result<std::string> format_rows(const ListFormat& format, std::size_t count,
                                const std::function<std::string(std::size_t)>& json);

}  // namespace mybuild::cli
