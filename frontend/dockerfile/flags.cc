// SPDX-License-Identifier: Apache-2.0
#include "frontend/dockerfile/flags.h"

#include "frontend/dockerfile/characters.h"
#include "frontend/dockerfile/suggest.h"

#include <algorithm>

namespace mybuild::frontend {

namespace {

Error unknown_flag(std::string_view name, std::span<const FlagRule> rules) {
  std::vector<std::string> names;
  for (const FlagRule& rule : rules) {
    names.emplace_back(rule.name);
  }
  return invalid_argument("unknown flag: --{}", name).with_hint(did_you_mean(name, names));
}

/// The value as it counts: "true" for a bare boolean.
Result<std::string> check_value(const FlagRule& rule, std::optional<std::string_view> value) {
  if (rule.type != FlagType::Bool) {
    if (!value) {
      return invalid_argument("missing a value on flag: --{}", rule.name);
    }
    return std::string(*value);
  }
  const std::string text = value ? to_lower(*value) : "true";
  if (text != "true" && text != "false") {
    return invalid_argument("expecting boolean value for flag --{}, not: {}", rule.name, text);
  }
  return text;
}

}  // namespace

Result<Flags> Flags::parse(const std::vector<std::string>& words, std::span<const FlagRule> rules) {
  Flags out;
  for (const std::string& word : words) {
    const std::string_view body = std::string_view(word).substr(2);
    const auto equals = body.find('=');
    const std::string_view name = body.substr(0, equals);
    const auto rule =
        std::find_if(rules.begin(), rules.end(), [&](const FlagRule& r) { return r.name == name; });
    if (rule == rules.end()) {
      return unknown_flag(name, rules);
    }
    if (rule->type != FlagType::Texts && out.has(name)) {
      return invalid_argument("duplicate flag specified: --{}", name);
    }
    std::optional<std::string_view> given;
    if (equals != std::string_view::npos) {
      given = body.substr(equals + 1);
    }
    auto value = TRY(check_value(*rule, given));
    out.flags_.push_back({std::string(name), std::move(value)});
  }
  return out;
}

std::string Flags::text(std::string_view name) const {
  const auto found = std::find_if(flags_.begin(), flags_.end(),
                                  [&](const Flag& flag) { return flag.name == name; });
  return found == flags_.end() ? std::string() : found->value;
}

std::vector<std::string> Flags::texts(std::string_view name) const {
  std::vector<std::string> out;
  for (const Flag& flag : flags_) {
    if (flag.name == name) {
      out.push_back(flag.value);
    }
  }
  return out;
}

std::optional<bool> Flags::boolean(std::string_view name) const {
  return has(name) ? std::optional(text(name) == "true") : std::nullopt;
}

}  // namespace mybuild::frontend
