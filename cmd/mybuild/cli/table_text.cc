// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/table_text.h"

#include "cmd/mybuild/progress/text.h"

#include <algorithm>

namespace mybuild::cli {

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

std::string table_text(std::vector<std::vector<std::string>> lines) {
  std::vector<std::size_t> widths;
  for (auto& line : lines) {
    widths.resize(std::max(widths.size(), line.size()), 10);
    for (std::size_t i = 0; i < line.size(); ++i) {
      line[i] = progress::printable(line[i]);
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

}  // namespace mybuild::cli
