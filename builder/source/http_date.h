// SPDX-License-Identifier: Apache-2.0
// Dates of HTTP headers (RFC 9110, 5.6.7). Pure, thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace mybuild::source {

/// Seconds since 1970 of "Sun, 06 Nov 1994 08:49:37 GMT" or of one of the two older forms.
std::optional<std::int64_t> parse_http_date(std::string_view text);

}  // namespace mybuild::source
