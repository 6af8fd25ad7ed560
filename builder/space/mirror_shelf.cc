// SPDX-License-Identifier: Apache-2.0
// Git mirrors: builder/git/README.md says what lies there and who locks it.
#include "builder/run/disk_usage.h"
#include "builder/space/measured.h"
#include "builder/space/shelf.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

namespace mybuild::space {

namespace {

constexpr std::string_view kContents[] = {"shallow", "full", "draft"};
/// What each fetch changes in a repository.
constexpr std::string_view kChanging[] = {
    "",        "/objects", "/objects/pack", "/refs", "/refs/heads", "/packed-refs", "/FETCH_HEAD",
    "/shallow"};

class MirrorShelf final : public Shelf {
 public:
  explicit MirrorShelf(const StoreParts& parts)
      : mirrors_(join_path(parts.root, "git")),
        trash_(join_path(parts.root, "trash")),
        clock_(parts.clock) {}
  Place place() const override { return Place::Mirror; }
  bool is_rooted() const override { return false; }

  Result<std::vector<Item>> items(const Needed&) override {
    std::vector<Item> items;
    const Result<Fd> top = sys::open(mirrors_, O_RDONLY | O_DIRECTORY);
    if (!top) {
      return top.error().os_errno() == ENOENT ? Result(std::move(items)) : top.error();
    }
    for (const std::string& name : TRY(sys::list_dir(top->get()))) {
      if (std::optional<Item> item = TRY(look(name))) {
        items.push_back(std::move(*item));
      }
    }
    return items;
  }

  Status remove(std::span<const Item> items, const OnRemoved& on_removed) override {
    TRY(make_dirs(trash_, 0700));
    for (const Item& item : items) {
      if (TRY(remove_one(join_path(mirrors_, item.id)))) {
        on_removed(item);
      }
    }
    return {};
  }

 private:
  /// nullopt: of this remote nothing is kept.
  Result<std::optional<Item>> look(const std::string& name) {
    const Time began = clock_.now();
    const std::string directory = join_path(mirrors_, name);
    const std::int64_t changed = last_change(directory);
    if (changed == 0) {
      return std::optional<Item>();
    }
    Item item{.place = Place::Mirror, .type = ItemType::GitCheckout, .id = name};
    item.in_use =
        !TRY(FileLock::try_acquire(join_path(directory, "lock"), FileLock::Mode::Exclusive));
    item.last_used = changed;
    item.size = TRY(measured_bytes(
        join_path(directory, ".size"),
        item.in_use ? std::nullopt : std::optional(Time(std::chrono::seconds(changed))), began,
        [&] { return run::tree_bytes(directory); }));
    item.name = read_note(join_path(directory, "url")).value_or(name);
    while (item.name.ends_with('\n')) {
      item.name.pop_back();
    }
    item.description = fmt::format("git repository {}", item.name);
    return std::optional(std::move(item));
  }

  /// 0 when there is nothing.
  static std::int64_t last_change(const std::string& directory) {
    std::int64_t changed = 0;
    for (const std::string_view content : kContents) {
      for (const std::string_view part : kChanging) {
        const auto info = sys::lstat_at(AT_FDCWD, fmt::format("{}/{}{}", directory, content, part));
        changed = info ? std::max<std::int64_t>(changed, info->st_mtim.tv_sec) : changed;
      }
    }
    return changed;
  }

  /// False while somebody works with it. The lock file stays, as for everybody who locks.
  Result<bool> remove_one(const std::string& directory) {
    const TempDir aside = TRY(TempDir::create(trash_, "mirror-"));
    const std::optional<FileLock> lock =
        TRY(FileLock::try_acquire(join_path(directory, "lock"), FileLock::Mode::Exclusive));
    if (!lock) {
      return false;
    }
    for (const std::string_view content : kContents) {
      const Status moved = sys::rename_at(AT_FDCWD, join_path(directory, content), AT_FDCWD,
                                          join_path(aside.path(), content));
      if (!moved && moved.error().os_errno() != ENOENT) {
        return moved.error();
      }
    }
    (void)sys::unlink_at(AT_FDCWD, join_path(directory, ".size"));
    return true;
  }

  const std::string mirrors_;
  const std::string trash_;
  const Clock& clock_;
};

}  // namespace

std::unique_ptr<Shelf> make_mirror_shelf(const StoreParts& parts) {
  return std::make_unique<MirrorShelf>(parts);
}

}  // namespace mybuild::space
