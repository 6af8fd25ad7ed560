// SPDX-License-Identifier: Apache-2.0
// registries.conf, and where its rules send a name. The first line is a name, the rest the file.
#include "builder/registry/hosts/registries_conf.h"

#include "tests/fuzz/fuzz.h"

#include <algorithm>

namespace mybuild::fuzz {

namespace {

using registry::MirrorRule;
using registry::RegistriesConf;
using registry::RegistryRule;

bool is_location(const std::string& text) {
  return !text.empty() && !text.ends_with('/') && text.find("://") == std::string::npos;
}

void check_rule(const RegistryRule& rule) {
  require(!rule.prefix.empty() && !rule.prefix.ends_with('/'), "a rule is about something");
  require(rule.prefix.find('*', 1) == std::string::npos, "a star begins a prefix");
  require(rule.location.empty() ? rule.prefix.starts_with("*.") : is_location(rule.location),
          "a location is a host and a path");
  for (const MirrorRule& mirror : rule.mirrors) {
    require(is_location(mirror.location), "so is a mirror's");
  }
}

/// Rules of equal prefixes are one, and what comes again changes nothing.
RegistriesConf merged(const RegistriesConf& conf) {
  RegistriesConf once;
  once.add(conf);
  RegistriesConf twice = once;
  twice.add(once);
  require(twice.rules.size() == once.rules.size() && twice.search == once.search &&
              twice.aliases == once.aliases && twice.short_names == once.short_names,
          "a file that is read twice counts once");
  return once;
}

void check_name(const RegistriesConf& conf, const std::string& name) {
  const RegistryRule* const rule = conf.find(name);
  if (rule == nullptr) {
    return;
  }
  for (const MirrorRule& mirror : rule->mirrors) {
    require(rewritten(name, *rule, mirror.location).starts_with(mirror.location),
            "a mirror is asked where it is");
  }
  const std::string there = rewritten(name, *rule, rule->location);
  require(there.starts_with(rule->location), "a location takes the place of what it is for");
  require(!rule->location.empty() || there == name, "without one a name stays as it is");
}

}  // namespace

void run(std::string_view input) {
  const auto line = std::min(input.find('\n'), input.size());
  const std::string name(input.substr(0, line));
  const auto read = registry::parse_registries_conf(input.substr(std::min(line + 1, input.size())),
                                                    "registries.conf");
  if (!read) {
    require(read.error().message().starts_with("registries.conf:"), "an error names the file");
    return;
  }
  const RegistriesConf conf = merged(*read);
  for (const std::string& host : conf.search) {
    require(!host.empty(), "a place to search has a name");
  }
  for (const auto& [alias, target] : conf.aliases) {
    require(!target.empty(), "an alias means something");
  }
  for (const RegistryRule& rule : conf.rules) {
    check_rule(rule);
    check_name(conf, rule.prefix);
    if (!rule.prefix.starts_with("*.")) {
      require(conf.find(rule.prefix) == &rule, "a prefix finds its own rule");
    }
  }
  check_name(conf, name);
}

}  // namespace mybuild::fuzz
