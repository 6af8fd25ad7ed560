// SPDX-License-Identifier: Apache-2.0
// Collector: mark, choose, remove. One at a time works on a state directory, of all processes. It
// holds the lock that makers of images and containers wait for from the first mark until trees and
// blobs are gone, and never while it counts bytes or deletes files. Killed at any moment it leaves
// a store that is fine. Thread-compatible.
#pragma once

#include "builder/space/policy.h"
#include "builder/space/settings.h"
#include "builder/space/shelf.h"

#include <chrono>

namespace mybuild::space {

/// What a collector works with; of a store, or of a test.
struct CollectorParts {
  std::string root;
  std::vector<std::unique_ptr<Shelf>> shelves;
  std::function<Result<Needed>()> needed;
  std::function<Result<DiskFacts>()> disk;
  std::function<Status()> empty_trash;
  const Clock& clock;
};
CollectorParts collector_parts(const StoreParts& store);

class Collector {
 public:
  explicit Collector(CollectorParts parts) : parts_(std::move(parts)) {}

  /// All there is.
  Result<std::vector<Item>> inventory();
  /// Removes what the rules choose and nobody uses. Unavailable when another collector works for
  /// longer than `patience`. What cannot be removed keeps nobody from the rest; the first error is
  /// returned then.
  Result<Collected> collect(std::span<const Rule> rules, const OnRemoved& on_removed,
                            std::chrono::milliseconds patience);
  /// Frees what removals left to be deleted when there is time.
  Status empty_trash() { return parts_.empty_trash(); }
  /// As `settings` say, unless it is too early or another collector works: then nothing.
  Result<Collected> collect_if_due(const GcSettings& settings);

 private:
  Status add_items(bool rooted, const Needed& needed, std::vector<Item>& items);
  Result<std::vector<Item>> choose_items(std::span<const Rule> rules, std::span<const Item> items);
  Status remove(bool rooted, std::span<const Item> chosen, const OnRemoved& on_removed);
  std::int64_t now() const;

  CollectorParts parts_;
};

}  // namespace mybuild::space
