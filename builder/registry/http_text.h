// SPDX-License-Identifier: Apache-2.0
// The lines of HTTP/1.1 (RFC 9112), as both transports write and read them. Inside
// builder/registry. Thread-safe.
#pragma once

#include "builder/registry/transport.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace mybuild::registry {

/// The head of an answer may not be longer.
constexpr std::size_t kMaxHeaderBytes = 128 << 10;

/// "mybuild/1.2.3"
const char* user_agent();
/// Whether it is one header and smuggles in no other.
bool is_one_line(std::string_view header);
/// The words in "HTTP/1.1 404 Not Found".
std::string reason_of(std::string_view status_line);
/// Adds "Name: value", without its line end, to the headers; what has no colon is left out. Values
/// of equal names are joined by commas.
void add_header(Response& response, std::string_view line);

}  // namespace mybuild::registry
