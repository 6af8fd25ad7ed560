// SPDX-License-Identifier: Apache-2.0
// Columns of equal width, as docker prints them. Pure, thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mybuild::cli {

/// The first line is the heading. Columns are three blanks apart and at least ten wide; what a
/// terminal would obey is taken out.
std::string table_text(std::vector<std::vector<std::string>> lines);
/// What stands between tabs.
std::vector<std::string> cells_of(std::string_view line);

}  // namespace mybuild::cli
