// SPDX-License-Identifier: Apache-2.0
// Clock: where times of day come from, so that tests and SOURCE_DATE_EPOCH can stand in.
// Thread-safe.
#pragma once

#include "snapshotter/base/result.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace mybuild {

using Time = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() const = 0;
};

class SystemClock final : public Clock {
 public:
  Time now() const override;
};

/// Always the same moment.
class FixedClock final : public Clock {
 public:
  explicit FixedClock(Time time) : time_(time) {}
  Time now() const override { return time_; }

 private:
  Time time_;
};

/// RFC 3339 in UTC as Go prints it: nanoseconds without trailing zeros ("2026-11-20T18:06:00.5Z").
/// Time::min() stands for Go's zero time, "0001-01-01T00:00:00Z", in both directions.
std::string format_rfc3339(Time time);
/// Of the years 1678 to 2261, which nanoseconds can count.
Result<Time> parse_rfc3339(std::string_view text);

}  // namespace mybuild
