// SPDX-License-Identifier: Apache-2.0
#include "frontend/dockerfile/file_mode.h"

namespace mybuild::frontend {

namespace {

constexpr std::string_view kOctal = "01234567";

void skip(std::string_view& text, std::string_view characters) {
  const auto end = text.find_first_not_of(characters);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end);
}

/// "go+rX-w": who, then one or more of an operator with its permissions and classes to copy from.
bool is_clause(std::string_view text) {
  skip(text, "ugoa");
  if (text.empty()) {
    return false;
  }
  while (!text.empty()) {
    if (std::string_view("+-=").find(text[0]) == std::string_view::npos) {
      return false;
    }
    text.remove_prefix(1);
    skip(text, "rwxXstugo");
  }
  return true;
}

bool is_octal(std::string_view text) {
  if (text.find_first_not_of(kOctal) != std::string_view::npos) {
    return false;
  }
  skip(text, "0");
  return text.size() <= 4;
}

}  // namespace

Status check_file_mode(std::string_view text) {
  const auto bad = [&] {
    return invalid_argument("invalid chmod parameter: '{}'", text)
        .with_hint(
            "it should be an octal number between 0 and 07777, or symbolic as in u=rwX,go=rX");
  };
  if (!text.empty() && text[0] >= '0' && text[0] <= '9') {
    return is_octal(text) ? Status() : bad();
  }
  for (std::string_view rest = text;;) {
    const auto comma = rest.find(',');
    if (!is_clause(rest.substr(0, comma))) {
      return bad();
    }
    if (comma == std::string_view::npos) {
      return {};
    }
    rest.remove_prefix(comma + 1);
  }
}

}  // namespace mybuild::frontend
