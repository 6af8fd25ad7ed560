// SPDX-License-Identifier: Apache-2.0
// The policy: which of all items go, by rules as BuildKit's gcpolicy has them. Pure functions; the
// time is that of one sort and of one pass per rule, whatever there is.
#pragma once

#include "builder/space/filter.h"
#include "builder/space/item.h"

#include <cstdint>
#include <optional>
#include <span>

namespace mybuild::space {

/// A number of bytes, or a share of the disk.
struct Amount {
  std::uint64_t bytes = 0;
  std::optional<unsigned> percent = {};  // then `bytes` is the most that it means; 0: no such limit

  std::uint64_t of(std::uint64_t disk) const;
};

/// What is kept. None given: nothing is.
struct Limits {
  std::optional<Amount> reserved = {};  // so much is kept whatever the others say
  std::optional<Amount> max_used = {};  // no more than this is kept
  std::optional<Amount> min_free = {};  // so much of the disk is to be free
};

struct DiskFacts {
  std::uint64_t total = 0;
  std::uint64_t free = 0;
};

/// Speaks of the items that its filter matches, of derived ones only with `all`; takes those that
/// were not used for so long until the limits hold. Items that are needed count nothing and stay.
struct Rule {
  Filter filter = {};
  std::optional<std::chrono::seconds> unused_for = {};
  bool all = false;
  Limits limits = {};
};

/// Indices of the items that go, in the order in which they should: least recently used first, by
/// minutes, and of those used in one minute the younger ones first, since what was made later
/// stands on what was made earlier. `now` in seconds since the epoch.
std::vector<std::size_t> choose(std::span<const Item> items, std::span<const Rule> rules,
                                const DiskFacts& disk, std::int64_t now);

}  // namespace mybuild::space
