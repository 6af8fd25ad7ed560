// SPDX-License-Identifier: Apache-2.0
#include "builder/space/policy.h"

#include <algorithm>
#include <limits>
#include <tuple>

namespace mybuild::space {

namespace {

/// What may go, in order.
std::vector<std::size_t> candidates(std::span<const Item> items) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (items[i].reclaimable()) {
      order.push_back(i);
    }
  }
  const auto rank = [&](std::size_t i) {
    return std::tuple(items[i].last_seen(), -items[i].created, i);
  };
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return rank(a) < rank(b); });
  return order;
}

/// nullopt: nothing is kept.
std::optional<std::uint64_t> bytes_to_keep(const Limits& limits, std::uint64_t used,
                                           const DiskFacts& disk) {
  if (!limits.reserved && !limits.max_used && !limits.min_free) {
    return std::nullopt;
  }
  const std::uint64_t reserved = limits.reserved ? limits.reserved->of(disk.total) : 0;
  std::uint64_t keep = 0;
  if (limits.max_used || limits.min_free) {
    keep = limits.max_used ? limits.max_used->of(disk.total)
                           : std::numeric_limits<std::uint64_t>::max();
  }
  if (limits.min_free) {
    const std::uint64_t wanted = limits.min_free->of(disk.total);
    const std::uint64_t missing = wanted > disk.free ? wanted - disk.free : 0;
    keep = std::min(keep, used > missing ? used - missing : 0);
  }
  return std::max(keep, reserved);
}

class Chooser {
 public:
  Chooser(std::span<const Item> items, const DiskFacts& disk, std::int64_t now)
      : items_(items), order_(candidates(items)), gone_(items.size()), disk_(disk), now_(now) {}

  void apply(const Rule& rule) {
    std::uint64_t used = 0;
    std::vector<bool> meant(items_.size());
    for (std::size_t i = 0; i < items_.size(); ++i) {
      const Item& item = items_[i];
      meant[i] =
          !gone_[i] && !item.needed && (rule.all || !item.derived) && rule.filter.matches(item);
      used += meant[i] ? item.size : 0;
    }
    const std::optional<std::uint64_t> keep = bytes_to_keep(rule.limits, used, disk_);
    for (const std::size_t i : order_) {
      if (keep && used <= *keep) {
        return;
      }
      if (meant[i] && is_old(items_[i], rule)) {
        gone_[i] = true;
        chosen_.push_back(i);
        used -= items_[i].size;
        disk_.free += items_[i].size;
      }
    }
  }
  std::vector<std::size_t> chosen() && { return std::move(chosen_); }

 private:
  bool is_old(const Item& item, const Rule& rule) const {
    return !rule.unused_for || now_ - item.last_seen() >= rule.unused_for->count();
  }

  std::span<const Item> items_;
  std::vector<std::size_t> order_;
  std::vector<bool> gone_;
  DiskFacts disk_;
  std::int64_t now_;
  std::vector<std::size_t> chosen_;
};

}  // namespace

std::uint64_t Amount::of(std::uint64_t disk) const {
  if (!percent) {
    return bytes;
  }
  const std::uint64_t share = disk / 100 * *percent;
  return bytes == 0 ? share : std::min(share, bytes);
}

std::vector<std::size_t> choose(std::span<const Item> items, std::span<const Rule> rules,
                                const DiskFacts& disk, std::int64_t now) {
  Chooser chooser(items, disk, now);
  for (const Rule& rule : rules) {
    chooser.apply(rule);
  }
  return std::move(chooser).chosen();
}

}  // namespace mybuild::space
