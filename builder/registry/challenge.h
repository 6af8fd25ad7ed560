// SPDX-License-Identifier: Apache-2.0
// What a WWW-Authenticate header asks for (RFC 9110, "Authentication Parameters"). Thread-safe.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace mybuild::registry {

/// One challenge of a WWW-Authenticate header.
struct Challenge {
  std::string scheme;                         // lower case
  std::map<std::string, std::string> values;  // names in lower case
};

/// The first Bearer challenge, else the first of any kind; nullopt when the header cannot be read.
std::optional<Challenge> parse_challenge(std::string_view header);

}  // namespace mybuild::registry
