// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/protocol/scope.h"

#include <algorithm>
#include <iterator>

namespace mybuild::cache_server {

namespace {

struct NamedScope {
  std::string_view name;
  Scope scope;
};
constexpr NamedScope kScopes[] = {{"read", Scope::Read},
                                  {"write", Scope::Write},
                                  {"claim", Scope::Claim},
                                  {"admin", Scope::Admin}};

}  // namespace

std::string_view to_string(Scope scope) {
  const auto* named = std::find_if(std::begin(kScopes), std::end(kScopes),
                                   [&](const NamedScope& each) { return each.scope == scope; });
  return named->name;
}

std::optional<Scope> parse_scope(std::string_view name) {
  const auto* named = std::find_if(std::begin(kScopes), std::end(kScopes),
                                   [&](const NamedScope& each) { return each.name == name; });
  return named == std::end(kScopes) ? std::nullopt : std::optional(named->scope);
}

std::vector<std::string_view> scope_names(std::uint8_t scopes) {
  std::vector<std::string_view> names;
  for (const NamedScope& named : kScopes) {
    if ((scopes & static_cast<std::uint8_t>(named.scope)) != 0) {
      names.push_back(named.name);
    }
  }
  return names;
}

}  // namespace mybuild::cache_server
