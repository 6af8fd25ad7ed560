// SPDX-License-Identifier: Apache-2.0
// Times as the server's database has them: milliseconds since the epoch. Pure functions.
#pragma once

#include "snapshotter/base/clock.h"

#include <chrono>
#include <cstdint>

namespace mybuild::cache_server {

inline std::int64_t stored_time(Time time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}
inline Time time_of(std::int64_t stored) {
  return Time(std::chrono::milliseconds(stored));
}

}  // namespace mybuild::cache_server
