// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/hosts/registries_conf.h"

#include <algorithm>
#include <optional>

namespace mybuild::registry {

namespace {

constexpr std::string_view kAnySubdomain = "*";

/// How much of `name` the prefix covers; nullopt: it does not fit. It ends where a part of the name
/// does, and a host without a port is not the one with.
std::optional<std::size_t> covered(std::string_view prefix, std::string_view name) {
  std::size_t end = prefix.size();
  if (prefix.starts_with("*.")) {
    const std::string_view wanted = prefix.substr(kAnySubdomain.size());
    const std::string_view host = name.substr(0, name.find('/'));
    const std::string_view wanted_host = wanted.substr(0, wanted.find('/'));
    if (!host.ends_with(wanted_host) || host.size() == wanted_host.size()) {
      return std::nullopt;
    }
    const std::size_t start = host.size() - wanted_host.size();
    if (!name.substr(start).starts_with(wanted)) {
      return std::nullopt;
    }
    end = start + wanted.size();
  } else if (!name.starts_with(prefix)) {
    return std::nullopt;
  }
  return end == name.size() || name[end] == '/' ? std::optional(end) : std::nullopt;
}

}  // namespace

void RegistriesConf::add(RegistriesConf later) {
  for (RegistryRule& rule : later.rules) {
    const auto same = std::find_if(rules.begin(), rules.end(), [&](const RegistryRule& other) {
      return other.prefix == rule.prefix;
    });
    if (same == rules.end()) {
      rules.push_back(std::move(rule));
    } else {
      *same = std::move(rule);
    }
  }
  if (later.has_search) {
    search = std::move(later.search);
    has_search = true;
  }
  for (auto& [name, target] : later.aliases) {
    aliases.insert_or_assign(name, std::move(target));
  }
  if (later.short_names != ShortNames::Unset) {
    short_names = later.short_names;
  }
}

const RegistryRule* RegistriesConf::find(std::string_view name) const {
  const RegistryRule* best = nullptr;
  for (const RegistryRule& rule : rules) {
    if (covered(rule.prefix, name) &&
        (best == nullptr || rule.prefix.size() > best->prefix.size())) {
      best = &rule;
    }
  }
  return best;
}

std::string rewritten(std::string_view name, const RegistryRule& rule,
                      const std::string& location) {
  const std::size_t end = covered(rule.prefix, name).value_or(0);
  return location.empty() ? std::string(name) : location + std::string(name.substr(end));
}

}  // namespace mybuild::registry
