// SPDX-License-Identifier: Apache-2.0
// RegistriesConf: registries.conf of containers-registries.conf(5), version 2, as data. Value type;
// reading it is thread-safe.
#pragma once

#include "snapshotter/base/result.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::registry {

struct MirrorRule {
  enum class For { All, Digests, Tags };
  std::string location;  // "host[:port][/path]"
  bool insecure = false;
  For what = For::All;
};

struct RegistryRule {
  std::string prefix;    // "host[:port][/path]" or "*.domain[/path]"
  std::string location;  // takes the prefix's place; empty: nothing does
  bool insecure = false;
  bool blocked = false;
  std::vector<MirrorRule> mirrors;
  std::string file;  // that it stands in
};

struct RegistriesConf {
  enum class ShortNames { Unset, Enforcing, Permissive, Disabled };
  std::vector<RegistryRule> rules;
  std::vector<std::string> search;  // hosts to look for names without one
  bool has_search = false;
  std::map<std::string, std::string> aliases;  // a name without host becomes one with
  ShortNames short_names = ShortNames::Unset;

  /// What a later file says takes the place of what an earlier one said of the same.
  void add(RegistriesConf later);
  /// The rule with the longest prefix of "host/repository"; null: none.
  const RegistryRule* find(std::string_view name) const;
};

/// `name` with what `rule.prefix` matched replaced by `location`.
std::string rewritten(std::string_view name, const RegistryRule& rule, const std::string& location);

/// Fails with file and line when it is no TOML, and by name when it is of version 1.
Result<RegistriesConf> parse_registries_conf(std::string_view text, const std::string& path);

}  // namespace mybuild::registry
