// SPDX-License-Identifier: Apache-2.0
#include "builder/source/http_date.h"

#include <ctime>
#include <string>

namespace mybuild::source {

namespace {

// All three are in UTC; mybuild never leaves the C locale, so names of days are English.
constexpr const char* kForms[] = {
    "%a, %d %b %Y %H:%M:%S GMT",  // what is written today
    "%A, %d-%b-%y %H:%M:%S GMT",  // RFC 850
    "%a %b %d %H:%M:%S %Y",       // asctime()
};

}  // namespace

std::optional<std::int64_t> parse_http_date(std::string_view text) {
  const std::string date(text);
  for (const char* form : kForms) {
    struct tm parts {};
    const char* const end = ::strptime(date.c_str(), form, &parts);
    if (end != nullptr && *end == '\0') {
      return ::timegm(&parts);
    }
  }
  return std::nullopt;
}

}  // namespace mybuild::source
