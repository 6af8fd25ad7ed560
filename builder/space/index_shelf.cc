// SPDX-License-Identifier: Apache-2.0
// What is remembered to be quick: cache records, known builds, resolved tags, the stat index. The
// database that most of it lies in stays; its pages are used again.
#include "builder/space/shelf.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

#include <cerrno>

namespace mybuild::space {

namespace {

class IndexShelf final : public Shelf {
 public:
  explicit IndexShelf(const StoreParts& parts) : parts_(parts) {}
  Place place() const override { return Place::Index; }
  bool is_rooted() const override { return false; }

  Result<std::vector<Item>> items(const Needed&) override {
    const std::int64_t now =
        std::chrono::duration_cast<std::chrono::seconds>(parts_.clock.now().time_since_epoch())
            .count();
    std::vector<Item> items = {table("cache-records", "what steps gave, by their inputs", now),
                               table("known-builds", "what whole builds gave", now),
                               table("resolved-tags", "what tags of base images meant", now)};
    if (const auto info = sys::lstat_at(AT_FDCWD, join_path(parts_.root, "stat-index"))) {
      Item index = table("stat-index", "what files of build contexts held", info->st_mtim.tv_sec);
      index.size = static_cast<std::uint64_t>(info->st_size);
      items.push_back(std::move(index));
    }
    Item database = table("state.db", "database", now);
    database.needed = true;
    for (const char* name : {"state.db", "state.db-wal", "state.db-shm", "reserve"}) {
      const auto info = sys::lstat_at(AT_FDCWD, join_path(parts_.root, name));
      database.size += info ? static_cast<std::uint64_t>(info->st_size) : 0;
    }
    items.push_back(std::move(database));
    return items;
  }

  Status remove(std::span<const Item> items, const OnRemoved& on_removed) override {
    for (const Item& item : items) {
      TRY(remove_one(item.id));
      on_removed(item);
    }
    return {};
  }

 private:
  /// In use as long as there is a store, so it goes after all else.
  static Item table(const char* id, const char* description, std::int64_t last_used) {
    Item item{.place = Place::Index, .type = ItemType::Internal, .id = id};
    item.last_used = last_used;
    item.derived = true;
    item.description = description;
    return item;
  }

  Status remove_one(const std::string& id) {
    if (id == "cache-records") {
      return parts_.metadata.forget_records();
    }
    if (id == "known-builds") {
      return parts_.metadata.forget_known_builds();
    }
    if (id == "resolved-tags") {
      for (const snapshotter::ResolvedRow& row : TRY(parts_.metadata.resolved())) {
        TRY(parts_.metadata.forget_resolved(row.reference, row.platform));
      }
      return {};
    }
    const Status gone = sys::unlink_at(AT_FDCWD, join_path(parts_.root, id));
    return gone || gone.error().os_errno() == ENOENT ? Status() : gone;
  }

  const StoreParts parts_;
};

}  // namespace

std::unique_ptr<Shelf> make_index_shelf(const StoreParts& parts) {
  return std::make_unique<IndexShelf>(parts);
}

}  // namespace mybuild::space
