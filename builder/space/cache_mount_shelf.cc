// SPDX-License-Identifier: Apache-2.0
// What RUN --mount=type=cache keeps.
#include "builder/space/measured.h"
#include "builder/space/shelf.h"
#include "snapshotter/base/file.h"

#include <fmt/format.h>

#include <unordered_map>

namespace mybuild::space {

namespace {

std::int64_t seconds(Time time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

class CacheMountShelf final : public Shelf {
 public:
  explicit CacheMountShelf(const StoreParts& parts) : parts_(parts) {}
  Place place() const override { return Place::CacheMount; }
  bool is_rooted() const override { return false; }

  Result<std::vector<Item>> items(const Needed&) override {
    const Time began = parts_.clock.now();
    caches_ = TRY(parts_.cache_mounts.list());
    std::vector<Item> items;
    for (const caches::Cache& cache : caches_) {
      // One without a record was used by a version that kept none, nobody knows when.
      const bool settled = cache.record && !cache.in_use;
      const std::uint64_t size =
          TRY(measured_bytes(join_path(cache.dir, ".size"),
                             settled ? std::optional(cache.record->last_used) : std::nullopt, began,
                             [&] { return caches::cache_bytes(cache); }));
      Item item{.place = Place::CacheMount,
                .type = ItemType::CacheMount,
                .id = cache.key,
                .size = size,
                .in_use = cache.in_use};
      if (cache.record) {
        item.created = seconds(cache.record->created);
        item.last_used = seconds(cache.record->last_used);
        item.name = cache.record->identity.id;
      }
      item.description = fmt::format("cache mount \"{}\"", item.name);
      items.push_back(std::move(item));
    }
    return items;
  }

  Status remove(std::span<const Item> items, const OnRemoved& on_removed) override {
    std::unordered_map<std::string_view, const caches::Cache*> by_key;
    for (const caches::Cache& cache : caches_) {
      by_key.emplace(cache.key, &cache);
    }
    for (const Item& item : items) {
      const auto found = by_key.find(item.id);
      if (found == by_key.end()) {
        continue;
      }
      const Status removed = parts_.cache_mounts.remove(*found->second);
      if (!removed && removed.error().kind() != ErrorKind::Denied) {
        return removed;
      }
      if (removed) {
        on_removed(item);
      }
    }
    return {};
  }

 private:
  const StoreParts parts_;
  std::vector<caches::Cache> caches_;
};

}  // namespace

std::unique_ptr<Shelf> make_cache_mount_shelf(const StoreParts& parts) {
  return std::make_unique<CacheMountShelf>(parts);
}

}  // namespace mybuild::space
