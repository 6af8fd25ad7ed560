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
  std::string line = {};  // a template for each row; "" = the table
};
/// "json", "table", or a template.
Status set_list_format(ListFormat& format, std::string_view value);

/// One line per row; `json` gives a row's object. Only for formats that are no table.
Result<std::string> format_rows(const ListFormat& format, std::size_t count,
                                const std::function<std::string(std::size_t)>& json);

}  // namespace mybuild::cli
