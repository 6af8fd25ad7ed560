// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/clock.h"

#include <algorithm>
#include <charconv>
#include <ctime>

namespace mybuild {

Time SystemClock::now() const {
  return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now());
}

namespace {
/// How Go writes a time that was never set; images are full of it. It lies before what nanoseconds
/// can count.
constexpr std::string_view kGoZeroTime = "0001-01-01T00:00:00Z";
}  // namespace

std::string format_rfc3339(Time time) {
  if (time == Time::min()) {
    return std::string(kGoZeroTime);
  }
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  const auto nanos = (time - whole).count();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(whole);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::string text =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", parts.tm_year + 1900, parts.tm_mon + 1,
                  parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
  if (nanos != 0) {
    text += fmt::format(".{:09}", nanos);
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text + "Z";
}

namespace {

/// Reads exactly `width` digits and the character after them, if one is named.
bool read_number(std::string_view& rest, std::size_t width, char after, int& value) {
  if (rest.size() < width) {
    return false;
  }
  if (rest.front() == '-') {
    return false;
  }
  const auto [end, code] = std::from_chars(rest.data(), rest.data() + width, value);
  if (code != std::errc() || end != rest.data() + width) {
    return false;
  }
  rest.remove_prefix(width);
  if (after == '\0') {
    return true;
  }
  if (!rest.starts_with(after)) {
    return false;
  }
  rest.remove_prefix(1);
  return true;
}

Error not_a_time(std::string_view text) {
  return invalid_argument("\"{}\" is not an RFC 3339 time", text);
}

/// ".5" and the like, if there is one.
bool read_fraction(std::string_view& rest, std::int64_t& nanos) {
  if (!rest.starts_with('.')) {
    return true;
  }
  rest.remove_prefix(1);
  const std::size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
  std::int64_t unit = 100'000'000;
  for (const char c : rest.substr(0, digits)) {
    nanos += unit * (c - '0');
    unit /= 10;
  }
  rest.remove_prefix(digits);
  return digits != 0;
}

/// "Z" or "+01:30", and nothing after it.
bool read_zone(std::string_view rest, int& offset_minutes) {
  if (rest == "Z" || rest == "z") {
    return true;
  }
  if (!rest.starts_with('+') && !rest.starts_with('-')) {
    return false;
  }
  const int sign = rest.front() == '+' ? 1 : -1;
  rest.remove_prefix(1);
  int hours = 0;
  int minutes = 0;
  if (!read_number(rest, 2, ':', hours) || !read_number(rest, 2, '\0', minutes)) {
    return false;
  }
  offset_minutes = sign * (hours * 60 + minutes);
  return rest.empty() && hours < 24 && minutes < 60;
}

bool valid_date(int year, int month, int day) {
  return std::chrono::year_month_day(std::chrono::year(year),
                                     std::chrono::month(static_cast<unsigned>(month)),
                                     std::chrono::day(static_cast<unsigned>(day)))
      .ok();
}

}  // namespace

Result<Time> parse_rfc3339(std::string_view text) {
  if (text == kGoZeroTime) {
    return Time::min();
  }
  std::string_view rest = text;
  std::tm parts{};
  std::int64_t nanos = 0;
  int offset_minutes = 0;
  const bool fields =
      read_number(rest, 4, '-', parts.tm_year) && read_number(rest, 2, '-', parts.tm_mon) &&
      read_number(rest, 2, 'T', parts.tm_mday) && read_number(rest, 2, ':', parts.tm_hour) &&
      read_number(rest, 2, ':', parts.tm_min) && read_number(rest, 2, '\0', parts.tm_sec) &&
      read_fraction(rest, nanos) && read_zone(rest, offset_minutes);
  const bool valid = fields && valid_date(parts.tm_year, parts.tm_mon, parts.tm_mday) &&
                     parts.tm_hour < 24 && parts.tm_min < 60 && parts.tm_sec <= 60;
  if (!valid) {
    return not_a_time(text);
  }
  if (parts.tm_year < 1678 || parts.tm_year > 2261) {
    return invalid_argument("\"{}\" is not between the years 1678 and 2261", text);
  }
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  const std::chrono::seconds since_epoch(::timegm(&parts) - std::int64_t{60} * offset_minutes);
  return Time(since_epoch + std::chrono::nanoseconds(nanos));
}

}  // namespace mybuild
