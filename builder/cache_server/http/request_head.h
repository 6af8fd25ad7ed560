// SPDX-License-Identifier: Apache-2.0
// From what Beast parsed to a Request, and from an Answer to the bytes of its head. Pure functions.
#pragma once

#include "builder/cache_server/exchange.h"

#include <optional>
#include <string>
#include <string_view>

namespace mybuild::cache_server {

/// "%2F" and the like; nullopt when it is not well-formed, or stands for a control character.
std::optional<std::string> percent_decoded(std::string_view text);
/// Fills in path and query; false when the target is none of an origin server ("/…").
bool set_target(Request& request, std::string_view target);

std::string_view reason_of(int status);
/// Status line and headers up to the empty line. `keep_alive`: whether another request may follow.
std::string head_of(const Answer& answer, bool keep_alive);

}  // namespace mybuild::cache_server
