// SPDX-License-Identifier: Apache-2.0
#include "builder/space/settings.h"

#include <charconv>
#include <cmath>

namespace mybuild::space {

namespace {

constexpr const char* kAmounts = "amounts are written as 10GB, 512m, 20% or a number of bytes";

Error no_amount(std::string_view text) {
  return invalid_argument("'{}' is not an amount of space", text).with_hint(kAmounts);
}

/// 1024^n of "b", "k", "KB", "MiB" …
std::optional<double> unit_factor(std::string_view unit) {
  while (unit.starts_with(' ')) {
    unit.remove_prefix(1);
  }
  if (unit.empty()) {
    return 1.0;
  }
  constexpr std::string_view kLetters = "bkmgtp";
  const std::size_t power = kLetters.find(static_cast<char>(unit.front() | 0x20));
  const std::string_view rest = unit.substr(1);
  const bool known = rest.empty() || rest == "b" || rest == "B" || rest == "ib" || rest == "iB";
  if (power == std::string_view::npos || !known || (power == 0 && !rest.empty())) {
    return std::nullopt;
  }
  return std::pow(1024.0, static_cast<double>(power));
}

Status set(GcSettings& settings, std::string_view key, std::string_view value) {
  if (key == "reserved-space") {
    settings.limits.reserved = TRY(parse_amount(value));
  } else if (key == "max-used-space") {
    settings.limits.max_used = TRY(parse_amount(value));
  } else if (key == "min-free-space") {
    settings.limits.min_free = TRY(parse_amount(value));
  } else if (key == "until") {
    settings.unused_for = TRY(parse_age(value));
  } else if (key == "every") {
    settings.every = TRY(parse_age(value));
  } else {
    return unsupported("there is no setting '{}'", key)
        .with_hint(
            "settings are off, or reserved-space, max-used-space, min-free-space, until and every");
  }
  return {};
}

}  // namespace

Result<Amount> parse_amount(std::string_view text) {
  double number = 0;
  const auto [end, code] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (code != std::errc() || !std::isfinite(number) || number < 0) {
    return no_amount(text);
  }
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  if (unit == "%") {
    if (number > 100 || number != std::floor(number)) {
      return no_amount(text);
    }
    return Amount{.bytes = 0, .percent = static_cast<unsigned>(number)};
  }
  const std::optional<double> factor = unit_factor(unit);
  if (!factor || number * *factor > 0x1p62) {
    return no_amount(text);
  }
  return Amount{.bytes = static_cast<std::uint64_t>(number * *factor), .percent = {}};
}

std::vector<Rule> GcSettings::rules() const {
  constexpr std::uint64_t kEasilyMadeAgain = 512ULL << 20;
  return {
      {.filter = Filter::of_types({ItemType::CacheMount, ItemType::GitCheckout, ItemType::Http}),
       .unused_for = std::chrono::hours(48),
       .all = false,
       .limits = {.max_used = Amount{.bytes = kEasilyMadeAgain}}},
      {.filter = {}, .unused_for = unused_for, .all = false, .limits = {}},
      {.filter = {}, .unused_for = {}, .all = false, .limits = limits},
      {.filter = {}, .unused_for = {}, .all = true, .limits = limits}};
}

Result<GcSettings> parse_gc_settings(std::string_view text) {
  GcSettings settings;
  if (text == "off" || text == "0" || text == "false") {
    settings.off = true;
    return settings;
  }
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view word = text.substr(0, comma);
    const std::size_t equals = word.find('=');
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view() : word.substr(equals + 1);
    TRY(set(settings, word.substr(0, equals), value).context(word));
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  return settings;
}

}  // namespace mybuild::space
