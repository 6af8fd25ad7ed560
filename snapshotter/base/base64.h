// SPDX-License-Identifier: Apache-2.0
// Base64 with padding (RFC 4648, section 4). Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mybuild {

std::string base64_encode(std::string_view bytes);
/// nullopt when it is none; padding may be missing, as several programs leave it out.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace mybuild
