// SPDX-License-Identifier: Apache-2.0
#include "builder/space/collector.h"

#include "builder/space/disk.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/gc_lock.h"

#include <cerrno>
#include <thread>

namespace mybuild::space {

namespace {

using snapshotter::GcLock;

constexpr std::chrono::milliseconds kBetweenTries{50};
constexpr const char* kStamp = "gc-stamp";  // its mtime: when the collector last ran by itself

Result<GcLock> lock_out_others(const std::string& root, std::chrono::milliseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  for (;;) {
    if (std::optional<GcLock> held = TRY(GcLock::for_collector(root))) {
      return std::move(*held);
    }
    if (std::chrono::steady_clock::now() >= until) {
      return make_error(ErrorKind::Unavailable, "somebody else is removing things from {}", root)
          .with_hint("try again when that is done");
    }
    std::this_thread::sleep_for(kBetweenTries);
  }
}

/// Others empty it at the same time, each store with a thread of its own, so things vanish under
/// our hands; then we look again, until it is empty or something is really wrong.
Status empty(snapshotter::LayerStore& layers) {
  constexpr int kMostLooks = 1000;
  for (int look = 0;; ++look) {
    Status emptied = layers.empty_trash();
    const int code = emptied ? 0 : emptied.error().os_errno();
    if ((code != ENOENT && code != ENOTEMPTY) || look == kMostLooks) {
      return emptied;
    }
  }
}

bool lacks_room(const Limits& limits, const DiskFacts& disk) {
  return limits.min_free && disk.free < limits.min_free->of(disk.total);
}

}  // namespace

CollectorParts collector_parts(const StoreParts& store) {
  CollectorParts parts{
      .root = store.root,
      .shelves = {},
      .needed = [store] { return find_needed(store.root, store.metadata, store.containers); },
      .disk = [store] { return disk_facts(store.root); },
      .empty_trash = [store] { return empty(store.layers); },
      .clock = store.clock};
  for (const auto& make : {make_tree_shelf, make_blob_shelf, make_cache_mount_shelf,
                           make_mirror_shelf, make_index_shelf}) {
    parts.shelves.push_back(make(store));
  }
  return parts;
}

std::int64_t Collector::now() const {
  return std::chrono::duration_cast<std::chrono::seconds>(parts_.clock.now().time_since_epoch())
      .count();
}

Status Collector::add_items(bool rooted, const Needed& needed, std::vector<Item>& items) {
  for (const std::unique_ptr<Shelf>& shelf : parts_.shelves) {
    if (shelf->is_rooted() == rooted) {
      for (Item& item : TRY(shelf->items(needed))) {
        items.push_back(std::move(item));
      }
    }
  }
  return {};
}

Result<std::vector<Item>> Collector::inventory() {
  std::vector<Item> items;
  const Needed needed = TRY(parts_.needed());
  TRY(add_items(true, needed, items));
  TRY(add_items(false, needed, items));
  return items;
}

Result<std::vector<Item>> Collector::choose_items(std::span<const Rule> rules,
                                                  std::span<const Item> items) {
  const DiskFacts disk = TRY(parts_.disk());
  std::vector<Item> chosen;
  for (const std::size_t index : choose(items, rules, disk, now())) {
    chosen.push_back(items[index]);
  }
  return chosen;
}

Status Collector::remove(bool rooted, std::span<const Item> chosen, const OnRemoved& on_removed) {
  Status first;
  for (const std::unique_ptr<Shelf>& shelf : parts_.shelves) {
    if (shelf->is_rooted() != rooted) {
      continue;
    }
    std::vector<Item> own;
    for (const Item& item : chosen) {
      if (item.place == shelf->place()) {
        own.push_back(item);
      }
    }
    Status removed = own.empty() ? Status() : shelf->remove(own, on_removed);
    if (!removed && first) {
      first = std::move(removed);
    }
  }
  return first;
}

Result<Collected> Collector::collect(std::span<const Rule> rules, const OnRemoved& on_removed,
                                     std::chrono::milliseconds patience) {
  const DiskFacts before = TRY(parts_.disk());
  for (const Rule& rule : rules) {
    if (lacks_room(rule.limits, before)) {
      TRY(parts_.empty_trash());  // what lies there goes before anything that may be of use
      break;
    }
  }
  Collected collected;
  const OnRemoved note = [&](const Item& item) {
    collected.removed.push_back(item);
    collected.bytes += item.size;
    on_removed(item);
  };
  std::vector<Item> items;
  TRY(add_items(false, {}, items));
  std::vector<Item> chosen;
  Status first;
  {
    const GcLock held = TRY(lock_out_others(parts_.root, patience));
    const Needed needed = TRY(parts_.needed());
    TRY(add_items(true, needed, items));
    chosen = TRY(choose_items(rules, items));
    first = remove(true, chosen, note);
  }
  Status second = remove(false, chosen, note);
  if (!first || !second) {
    return first ? second.error() : first.error();
  }
  return collected;
}

Result<Collected> Collector::collect_if_due(const GcSettings& settings) {
  if (settings.off) {
    return Collected();
  }
  const std::string stamp = join_path(parts_.root, kStamp);
  const DiskFacts disk = TRY(parts_.disk());
  const bool pressed = lacks_room(settings.limits, disk);
  const Result<struct stat> last = sys::lstat_at(AT_FDCWD, stamp);
  const std::int64_t age = last ? now() - last->st_mtim.tv_sec : settings.every.count();
  if (!pressed && age >= 0 && age < settings.every.count()) {
    return Collected();
  }
  Result<Collected> collected = collect(settings.rules(), [](const Item&) {}, {});
  if (!collected && collected.error().kind() == ErrorKind::Unavailable) {
    return Collected();
  }
  if (collected) {
    TRY(write_file(stamp, "\n", 0600));
    if (pressed) {
      TRY(parts_.empty_trash());
    }
  }
  return collected;
}

}  // namespace mybuild::space
