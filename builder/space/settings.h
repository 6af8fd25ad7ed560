// SPDX-License-Identifier: Apache-2.0
// What the collector does after builds, by default and as $MYBUILD_GC says. Pure functions.
#pragma once

#include "builder/space/policy.h"

namespace mybuild::space {

struct GcSettings {
  bool off = false;
  std::chrono::seconds every = std::chrono::minutes(10);  // no more often, unless the disk is full
  Limits limits = {.reserved = Amount{.bytes = 10ULL << 30, .percent = 10},
                   .max_used = Amount{.bytes = 100ULL << 30, .percent = 75},
                   .min_free = Amount{.bytes = 50ULL << 30, .percent = 20}};
  std::chrono::seconds unused_for =
      std::chrono::hours(60 * 24);  // what goes whatever room there is

  /// What is easily made again goes early, what nobody used for long goes, all of it is kept within
  /// the limits.
  std::vector<Rule> rules() const;
};

/// "off", or some of reserved-space=10GB, max-used-space=75%, min-free-space=20%, until=60d,
/// every=10m with commas between; "" is the default.
Result<GcSettings> parse_gc_settings(std::string_view text);

/// "10GB", "512m", "1073741824": powers of 1024; "20%": of the disk.
Result<Amount> parse_amount(std::string_view text);

}  // namespace mybuild::space
