// SPDX-License-Identifier: Apache-2.0
#include "builder/space/filter.h"

#include "frontend/dockerfile/go_format.h"
#include "snapshotter/base/clock.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <regex>

namespace mybuild::space {

struct Pattern {
  std::regex regex;
};

namespace {

constexpr std::string_view kTypes[] = {"regular",     "source.image", "source.git.checkout",
                                       "source.http", "source.local", "exec.cachemount",
                                       "frontend",    "internal"};

bool is_mutable(const Item& item) {
  return item.place == Place::CacheMount || item.place == Place::Mirror;
}

/// A key of filters: a text to compare, or a fact.
struct Key {
  std::string_view name;
  std::string_view (*text)(const Item& item) = nullptr;
  bool (*fact)(const Item& item) = nullptr;
  bool by_prefix = false;  // '=' is enough for how the text begins
};

constexpr Key kKeys[] = {
    {.name = "id",
     .text = [](const Item& item) { return std::string_view(item.id); },
     .by_prefix = true},
    {.name = "type", .text = [](const Item& item) { return to_string(item.type); }},
    {.name = "description",
     .text = [](const Item& item) { return std::string_view(item.description); }},
    {.name = "inuse", .fact = [](const Item& item) { return item.in_use; }},
    {.name = "shared", .fact = [](const Item& item) { return item.needed; }},
    {.name = "private", .fact = [](const Item& item) { return !item.needed; }},
    {.name = "mutable", .fact = is_mutable},
    {.name = "immutable", .fact = [](const Item& item) { return !is_mutable(item); }},
};

const Key* find_key(std::string_view name) {
  const auto* found = std::find_if(std::begin(kKeys), std::end(kKeys),
                                   [&](const Key& key) { return key.name == name; });
  return found == std::end(kKeys) ? nullptr : found;
}

Error no_such_key(std::string_view name) {
  std::string known = "until";
  for (const Key& key : kKeys) {
    known += fmt::format(", {}", key.name);
  }
  return unsupported("there is no filter '{}'", name).with_hint("filters are " + known);
}

Result<bool> parse_fact(std::string_view value) {
  return value.empty() ? Result<bool>(true) : frontend::parse_go_bool(value);
}

/// Where key and value meet: '~=', '!=', '==' or '='.
struct Parts {
  std::string_view key;
  char op = '=';
  std::string_view value;
};
Parts split(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) {
    return {.key = text, .op = '=', .value = {}};
  }
  Parts parts{.key = text.substr(0, equals), .op = '=', .value = text.substr(equals + 1)};
  if (parts.key.ends_with('~') || parts.key.ends_with('!')) {
    parts.op = parts.key.back();
    parts.key.remove_suffix(1);
  } else if (parts.value.starts_with('=')) {
    parts.value.remove_prefix(1);
  }
  return parts;
}

Result<std::shared_ptr<const Pattern>> parse_pattern(const std::string& text) {
  try {
    return std::make_shared<const Pattern>(Pattern{std::regex(text, std::regex::ECMAScript)});
  } catch (const std::regex_error&) {
    return invalid_argument("'{}' is not a regular expression", text);
  }
}

}  // namespace

Result<std::chrono::seconds> parse_age(std::string_view text) {
  std::string_view number = text;
  if (number.ends_with('d')) {
    number.remove_suffix(1);
    std::int64_t days = 0;
    const auto [end, code] = std::from_chars(number.data(), number.data() + number.size(), days);
    if (code == std::errc() && end == number.data() + number.size() && days >= 0 &&
        days < 100'000) {
      return std::chrono::seconds(days * 86'400);
    }
  }
  const Result<std::chrono::nanoseconds> duration = frontend::parse_go_duration(text);
  if (!duration || duration->count() < 0) {
    return invalid_argument("'{}' is not an age", text)
        .with_hint("ages are written as 90m, 24h or 7d");
  }
  return std::chrono::duration_cast<std::chrono::seconds>(*duration);
}

Result<std::chrono::seconds> parse_until(std::string_view text, std::int64_t now) {
  if (const Result<std::chrono::seconds> age = parse_age(text)) {
    return *age;
  }
  std::int64_t moment = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), moment);
  if (code != std::errc() || end != text.data() + text.size()) {
    std::string full(text);
    full += text.find('T') == std::string_view::npos ? "T00:00:00Z" : "";
    const Result<Time> time = parse_rfc3339(full);
    if (!time) {
      return invalid_argument("'{}' is neither an age nor a time", text)
          .with_hint("say how long ago (24h, 7d), a day (2026-11-29) or 2026-11-29T18:06:00Z");
    }
    moment = std::chrono::duration_cast<std::chrono::seconds>(time->time_since_epoch()).count();
  }
  return std::chrono::seconds(std::max<std::int64_t>(now - moment, 0));
}

Status Filter::add(std::string_view text, std::int64_t now) {
  for (;;) {
    const std::size_t comma = text.find(',');
    TRY(add_one(text.substr(0, comma), now));
    if (comma == std::string_view::npos) {
      return {};
    }
    text.remove_prefix(comma + 1);
  }
}

Status Filter::add_one(std::string_view text, std::int64_t now) {
  const Parts parts = split(text);
  const std::string where = fmt::format("filter {}", parts.key);
  if (parts.key == "until" || parts.key == "unused-for") {
    if (parts.op != '=') {
      return invalid_argument("filter {} takes one value, after '='", parts.key);
    }
    const std::chrono::seconds age = TRY(parse_until(parts.value, now).context(where));
    unused_for_ = std::max(age, unused_for_.value_or(age));
    return {};
  }
  const Key* key = find_key(parts.key);
  if (key == nullptr) {
    return no_such_key(parts.key);
  }
  Condition condition{
      .key = std::string(parts.key), .op = parts.op, .value = std::string(parts.value)};
  if (key->fact != nullptr) {
    if (parts.op == '~') {
      return invalid_argument("filter {} is true or false", parts.key);
    }
    condition.value = TRY(parse_fact(parts.value).context(where))
    ? "true" : "false";
  } else if (parts.value.empty()) {
    return invalid_argument("filter {} has no value", parts.key);
  } else if (parts.op == '~') {
    condition.pattern = TRY(parse_pattern(condition.value).context(where));
  } else if (parts.key == "type" &&
             std::find(std::begin(kTypes), std::end(kTypes), parts.value) == std::end(kTypes)) {
    return invalid_argument("filter type: there is no type '{}'", parts.value)
        .with_hint(fmt::format("types are {}", fmt::join(kTypes, ", ")));
  }
  conditions_.push_back(std::move(condition));
  return {};
}

Filter Filter::of_types(std::initializer_list<ItemType> types) {
  Filter filter;
  for (const ItemType type : types) {
    filter.conditions_.push_back({.key = "type", .op = '=', .value = std::string(to_string(type))});
  }
  return filter;
}

bool Filter::matches(const Item& item) const {
  const auto holds = [&](const Condition& condition) {
    const Key& key = *find_key(condition.key);
    if (key.fact != nullptr) {
      return key.fact(item) == (condition.value == "true");
    }
    const std::string_view text = key.text(item);
    if (condition.pattern != nullptr) {
      return std::regex_search(text.begin(), text.end(), condition.pattern->regex);
    }
    return key.by_prefix ? text.starts_with(condition.value) : text == condition.value;
  };
  for (auto first = conditions_.begin(); first != conditions_.end(); ++first) {
    if (first->op == '!') {
      if (holds(*first)) {
        return false;
      }
      continue;
    }
    // The first of its key speaks for all of them.
    const auto same = [&](const Condition& other) {
      return other.key == first->key && other.op != '!';
    };
    if (std::find_if(conditions_.begin(), first, same) != first) {
      continue;
    }
    if (!std::any_of(first, conditions_.end(),
                     [&](const Condition& other) { return same(other) && holds(other); })) {
      return false;
    }
  }
  return true;
}

}  // namespace mybuild::space
