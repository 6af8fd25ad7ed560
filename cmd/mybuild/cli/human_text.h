// SPDX-License-Identifier: Apache-2.0
// Sizes and times in docker's words. Pure, thread-safe.
#pragma once

#include "snapshotter/base/clock.h"

#include <chrono>
#include <cstdint>
#include <string>

namespace mybuild::cli {

/// "2 weeks", "About a minute".
std::string human_duration(std::chrono::seconds duration);
/// "2 weeks ago"; what is to come is "Less than a second ago".
std::string ago(Time then, Time now);
/// "2026-11-20 18:06:00 +0000 UTC"
std::string local_time(Time moment);
/// "77.8MB": three digits, powers of 1000.
std::string human_size(std::uint64_t bytes);

}  // namespace mybuild::cli
