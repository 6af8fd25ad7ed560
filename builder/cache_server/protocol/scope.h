// SPDX-License-Identifier: Apache-2.0
// Scope: what a token may do; a set of them is the bits of one byte. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::cache_server {

enum class Scope : std::uint8_t {
  Read = 1,
  Write = 2,
  Claim = 4,
  Admin = 8,  // tokens, namespaces and pins
};
std::string_view to_string(Scope scope);
std::optional<Scope> parse_scope(std::string_view name);
/// The words for a set, in the order above.
std::vector<std::string_view> scope_names(std::uint8_t scopes);

}  // namespace mybuild::cache_server
