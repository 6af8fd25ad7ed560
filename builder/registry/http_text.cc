// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/http_text.h"

#include "builder/registry/url.h"

#include <algorithm>

namespace mybuild::registry {

const char* user_agent() {
  return "mybuild/" MYBUILD_VERSION;
}

bool is_one_line(std::string_view header) {
  return header.find_first_of("\r\n") == std::string_view::npos;
}

std::string reason_of(std::string_view status_line) {
  const std::size_t status = std::min(status_line.find(' '), status_line.size());
  const std::size_t words = std::min(status_line.find(' ', status + 1), status_line.size());
  return std::string(status_line.substr(std::min(words + 1, status_line.size())));
}

void add_header(Response& response, std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) {
    return;
  }
  const std::string_view value = line.substr(colon + 1);
  std::string& slot = response.headers[lower_case(line.substr(0, colon))];
  if (!slot.empty()) {
    slot += ", ";
  }
  slot += value.substr(std::min(value.find_first_not_of(" \t"), value.size()));
}

}  // namespace mybuild::registry
