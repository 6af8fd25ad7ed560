// SPDX-License-Identifier: Apache-2.0
// Filter: which items are meant, as `--filter` of prune and du says it: KEY=VALUE, KEY!=VALUE,
// KEY~=PATTERN, several of them with commas between. Values of one key are alternatives, keys are
// not. Value type, pure functions.
#pragma once

#include "builder/space/item.h"
#include "snapshotter/base/result.h"

#include <chrono>
#include <initializer_list>
#include <memory>

namespace mybuild::space {

struct Pattern;

class Filter {
 public:
  /// Refuses keys that are not known, by name. `now`: what `until=` counts from, in seconds since
  /// the epoch.
  Status add(std::string_view text, std::int64_t now);
  /// One of these types.
  static Filter of_types(std::initializer_list<ItemType> types);

  /// Whatever its age is.
  bool matches(const Item& item) const;
  /// `until=`: for how long an item must not have been used.
  std::optional<std::chrono::seconds> unused_for() const { return unused_for_; }

 private:
  struct Condition {
    std::string key;
    char op = '=';  // '=', '!' or '~'
    std::string value;
    std::shared_ptr<const Pattern> pattern = {};  // of '~'
  };
  Status add_one(std::string_view text, std::int64_t now);

  std::vector<Condition> conditions_;
  std::optional<std::chrono::seconds> unused_for_;
};

/// "24h", "7d", RFC 3339 or a number of seconds since the epoch, as a time before `now`.
Result<std::chrono::seconds> parse_until(std::string_view text, std::int64_t now);
/// "90m", "60d": Go's durations and days.
Result<std::chrono::seconds> parse_age(std::string_view text);

}  // namespace mybuild::space
