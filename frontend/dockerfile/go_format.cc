// SPDX-License-Identifier: Apache-2.0
#include "frontend/dockerfile/go_format.h"

#include "frontend/dockerfile/characters.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>

namespace mybuild::frontend {

namespace {

struct Unit {
  std::string_view name;
  std::int64_t nanoseconds;
};
constexpr std::array kUnits{
    Unit{"h", 3'600'000'000'000},
    Unit{"m", 60'000'000'000},
    Unit{"s", 1'000'000'000},
    Unit{"ms", 1'000'000},
    Unit{"us", 1'000},
    Unit{"\xC2\xB5s", 1'000},
    Unit{"\xCE\xBCs", 1'000},
    Unit{"ns", 1},
};

std::string escaped(const CodePoint& point, std::string_view bytes) {
  static constexpr std::string_view kNamed = "\a\b\f\n\r\t\v";
  static constexpr std::string_view kNames = "abfnrtv";
  if (!point.valid) {
    return fmt::format("\\x{:02x}", static_cast<unsigned char>(bytes[0]));
  }
  if (point.value == '"' || point.value == '\\') {
    return fmt::format("\\{}", bytes);
  }
  if (is_printable(point.value)) {
    return std::string(bytes);
  }
  const auto value = static_cast<std::uint32_t>(point.value);
  if (const auto at = value == 0 ? std::string_view::npos : kNamed.find(static_cast<char>(value));
      value < 0x80 && at != std::string_view::npos) {
    return fmt::format("\\{}", kNames[at]);
  }
  if (value < 0x80) {
    return fmt::format("\\x{:02x}", value);
  }
  return value < 0x10000 ? fmt::format("\\u{:04x}", value) : fmt::format("\\U{:08x}", value);
}

/// "1.50" without the zeros that say nothing.
std::string with_fraction(std::uint64_t value, std::uint64_t unit, std::string_view name) {
  std::string out = std::to_string(value / unit);
  if (value % unit != 0) {
    std::string digits = std::to_string(unit + value % unit).substr(1);
    digits.erase(digits.find_last_not_of('0') + 1);
    out += "." + digits;
  }
  return out + std::string(name);
}

Error bad_duration(std::string_view text) {
  return invalid_argument("invalid duration \"{}\"", text)
      .with_hint("write a number with a unit, such as 30s, 1m30s or 500ms");
}

/// Reads "<number><unit>" from the front; nullopt when it is malformed or too large.
std::optional<std::int64_t> take_part(std::string_view& text) {
  const auto number_end = text.find_first_not_of("0123456789.");
  if (number_end == 0 || number_end == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string number(text.substr(0, number_end));
  if (number == "." || number.find('.') != number.rfind('.') || number.size() > 30) {
    return std::nullopt;
  }
  text.remove_prefix(number_end);
  const std::string_view name = text.substr(0, text.find_first_of("0123456789."));
  text.remove_prefix(name.size());
  for (const Unit& unit : kUnits) {
    if (unit.name == name) {
      const long double value = std::stold(number) * static_cast<long double>(unit.nanoseconds);
      constexpr auto kMax = static_cast<long double>(std::numeric_limits<std::int64_t>::max());
      return value >= kMax ? std::nullopt : std::optional(static_cast<std::int64_t>(value));
    }
  }
  return std::nullopt;
}

}  // namespace

std::string go_quote(std::string_view text) {
  std::string out = "\"";
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = decode(text, at);
    out += escaped(point, text.substr(at, point.length));
    at += point.length;
  }
  return out + "\"";
}

std::string go_quote(const std::vector<std::string>& strings) {
  std::string out = "[";
  for (const std::string& text : strings) {
    out += out.size() > 1 ? " " : "";
    out += go_quote(text);
  }
  return out + "]";
}

std::string go_quote_rune(int value) {
  const bool valid = value >= 0 && value <= 0x10ffff && (value < 0xd800 || value > 0xdfff);
  const auto code = static_cast<unsigned>(valid ? value : 0xfffd);
  if (code == '\'') {
    return "'\\''";
  }
  if (code == '"') {
    return "'\"'";
  }
  std::string character;
  append_utf8(character, code);
  std::string text = go_quote(character);
  text.front() = '\'';
  text.back() = '\'';
  return text;
}

std::string go_list(const std::vector<std::string>& strings) {
  return fmt::format("[{}]", fmt::join(strings, " "));
}

std::string go_duration(std::chrono::nanoseconds duration) {
  const std::int64_t count = duration.count();
  const auto size =
      count < 0 ? 0 - static_cast<std::uint64_t>(count) : static_cast<std::uint64_t>(count);
  const std::string sign = count < 0 ? "-" : "";
  if (size == 0) {
    return "0s";
  }
  if (size < 1'000) {
    return sign + with_fraction(size, 1, "ns");
  }
  if (size < 1'000'000) {
    return sign + with_fraction(size, 1'000, "\xC2\xB5s");
  }
  if (size < 1'000'000'000) {
    return sign + with_fraction(size, 1'000'000, "ms");
  }
  constexpr std::uint64_t kSecond = 1'000'000'000;
  const std::uint64_t minutes = size / (60 * kSecond);
  std::string out = sign;
  if (minutes >= 60) {
    out += std::to_string(minutes / 60) + "h";
  }
  if (minutes > 0) {
    out += std::to_string(minutes % 60) + "m";
  }
  return out + with_fraction(size % (60 * kSecond), kSecond, "s");
}

Result<std::chrono::nanoseconds> parse_go_duration(std::string_view text) {
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) {
    rest.remove_prefix(1);
  }
  if (rest == "0") {
    return std::chrono::nanoseconds(0);
  }
  if (rest.empty()) {
    return bad_duration(text);
  }
  std::int64_t total = 0;
  while (!rest.empty()) {
    const auto part = take_part(rest);
    if (!part || *part > std::numeric_limits<std::int64_t>::max() - total) {
      return bad_duration(text);
    }
    total += *part;
  }
  return std::chrono::nanoseconds(negative ? -total : total);
}

std::optional<int> parse_go_int(std::string_view text) {
  if (text.starts_with('+') && !text.substr(1).starts_with('-')) {
    text.remove_prefix(1);
  }
  int value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && stop == end ? std::optional(value) : std::nullopt;
}

Result<bool> parse_go_bool(std::string_view text) {
  for (const std::string_view yes : {"1", "t", "T", "true", "TRUE", "True"}) {
    if (text == yes) {
      return true;
    }
  }
  for (const std::string_view no : {"0", "f", "F", "false", "FALSE", "False"}) {
    if (text == no) {
      return false;
    }
  }
  return invalid_argument("\"{}\" is not a boolean", text);
}

}  // namespace mybuild::frontend
