// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/oci/go_json.h"

#include <algorithm>
#include <string_view>

namespace mybuild::oci {

namespace {

struct Escape {
  std::string_view raw;
  std::string_view escaped;
};
// Go escapes these so that JSON can stand inside HTML and JavaScript. None of them occurs outside
// of strings.
constexpr Escape kEscapes[] = {{"<", "\\u003c"},
                               {">", "\\u003e"},
                               {"&", "\\u0026"},
                               {"\xe2\x80\xa8", "\\u2028"},
                               {"\xe2\x80\xa9", "\\u2029"}};

bool may_begin_escape(char c) {
  return c == '<' || c == '>' || c == '&' || c == '\xe2';
}

const Escape* escape_at(std::string_view rest) {
  for (const Escape& escape : kEscapes) {
    if (rest.starts_with(escape.raw)) {
      return &escape;
    }
  }
  return nullptr;
}

}  // namespace

std::string go_dump(const nlohmann::ordered_json& value, int indent) {
  const std::string plain =
      value.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  std::string text;
  text.reserve(plain.size());
  for (auto at = plain.begin(); at != plain.end();) {
    const auto stop = std::find_if(at, plain.end(), may_begin_escape);
    text.append(at, stop);
    at = stop;
    if (at == plain.end()) {
      break;
    }
    if (const Escape* escape = escape_at(std::string_view(at, plain.end()))) {
      text += escape->escaped;
      at += static_cast<std::ptrdiff_t>(escape->raw.size());
    } else {
      text += *at++;
    }
  }
  return text;
}

}  // namespace mybuild::oci
