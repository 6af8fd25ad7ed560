// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/human_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <string_view>

namespace mybuild::cli {

std::string human_duration(std::chrono::seconds duration) {
  const auto total = duration.count();
  const auto hours = (total + 1800) / 3600;
  if (total < 1) {
    return "Less than a second";
  }
  if (total == 1) {
    return "1 second";
  }
  if (total < 60) {
    return fmt::format("{} seconds", total);
  }
  if (total < 120) {
    return "About a minute";
  }
  if (total < 3600) {
    return fmt::format("{} minutes", total / 60);
  }
  if (hours == 1) {
    return "About an hour";
  }
  struct Unit {
    std::int64_t below;  // hours
    std::int64_t size;
    std::string_view name;
  };
  constexpr Unit kUnits[] = {{48, 1, "hours"},
                             {24 * 7 * 2, 24, "days"},
                             {24 * 30 * 2, 24 * 7, "weeks"},
                             {24 * 365 * 2, 24 * 30, "months"}};
  for (const Unit& unit : kUnits) {
    if (hours < unit.below) {
      return fmt::format("{} {}", hours / unit.size, unit.name);
    }
  }
  return fmt::format("{} years", hours / (24 * 365));
}

std::string local_time(Time moment) {
  const std::time_t time = std::chrono::system_clock::to_time_t(
      std::chrono::time_point_cast<std::chrono::system_clock::duration>(moment));
  struct tm parts {};
  std::array<char, 64> text{};
  ::localtime_r(&time, &parts);
  const std::size_t size =
      std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S %z %Z", &parts);
  return {text.data(), size};
}

std::string human_size(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 6> kUnits = {"B", "kB", "MB", "GB", "TB", "PB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  return fmt::format("{:.3g}{}", value, kUnits[unit]);
}

std::string ago(Time then, Time now) {
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - then);
  return human_duration(std::max(age, std::chrono::seconds(0))) + " ago";
}

}  // namespace mybuild::cli
