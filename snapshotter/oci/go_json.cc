// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/oci/go_json.h"

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
  for (std::size_t i = 0; i < plain.size();) {
    if (const Escape* escape = escape_at(std::string_view(plain).substr(i))) {
      text += escape->escaped;
      i += escape->raw.size();
    } else {
      text += plain[i++];
    }
  }
  return text;
}

}  // namespace mybuild::oci
