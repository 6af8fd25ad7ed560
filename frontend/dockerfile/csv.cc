// SPDX-License-Identifier: Apache-2.0
#include "frontend/dockerfile/csv.h"

namespace mybuild::frontend {

Result<std::vector<std::string>> split_csv(std::string_view text, std::string_view flag) {
  const auto bad = [&] {
    return invalid_argument("failed to parse the fields of {}={}: misplaced quote", flag, text);
  };
  std::vector<std::string> out(1);
  bool quoted = false;
  bool closed = false;  // behind a closing quote only a comma may follow
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c != '"') {
        out.back() += c;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        out.back() += c;
        ++i;
      } else {
        quoted = false;
        closed = true;
      }
    } else if (c == ',') {
      out.emplace_back();
      closed = false;
    } else if (c == '"' && out.back().empty() && !closed) {
      quoted = true;
    } else if (c == '"' || closed) {
      return bad();
    } else {
      out.back() += c;
    }
  }
  if (quoted) {
    return bad();
  }
  return out;
}

}  // namespace mybuild::frontend
