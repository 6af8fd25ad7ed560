// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/native/tree_diff.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/file_compare.h"
#include "snapshotter/tree_entry.h"
#include "snapshotter/whiteout.h"

#include <algorithm>
#include <tuple>

namespace mybuild::snapshotter {

namespace {

constexpr int kMaxDepth = 1000;

bool before(const struct timespec& a, const struct timespec& b) {
  return std::tie(a.tv_sec, a.tv_nsec) < std::tie(b.tv_sec, b.tv_nsec);
}

/// The copy has whole seconds, whatever the lower tree has.
bool same_time(const struct timespec& mine, const struct timespec& lower) {
  return mine.tv_sec == lower.tv_sec && mine.tv_nsec == 0;
}

/// A directory of the layer tree, made when the first change in it or of it is found.
struct LayerDir {
  LayerDir* parent = nullptr;
  std::string name;
  Entry entry;
  Fd fd;
};

class Differ {
 public:
  Differ(const TreeView& lower, struct timespec copied) : lower_(lower), copied_(copied) {}

  /// `on_lower`: the layers have this directory too.
  Status diff(int dirfd, LayerDir& out, bool on_lower, int depth) {
    if (depth > kMaxDepth) {
      return invalid_argument("{}: directories nested deeper than {}", out.entry.path, kMaxDepth);
    }
    const std::vector<DirItem> items = TRY(read_dir(dirfd));
    for (const DirItem& item : items) {
      TRY(visit(dirfd, item.name, out, on_lower, depth));
    }
    if (on_lower) {
      for (const std::string& name : TRY(lower_.list(out.entry.path))) {
        const auto same_name = [](const DirItem& item, const std::string& wanted) {
          return item.name < wanted;
        };
        const auto item = std::lower_bound(items.begin(), items.end(), name, same_name);
        if (item == items.end() || item->name != name) {
          const int layer_dir = TRY(make(out));
          TRY(make_whiteout(layer_dir, name));
        }
      }
    }
    return out.fd ? finish_directory(out.fd.get(), out.entry) : Status();
  }

 private:
  Status visit(int dirfd, const std::string& name, LayerDir& out, bool on_lower, int depth) {
    const struct stat info = TRY(sys::lstat_at(dirfd, name));
    const std::string path = join_path(out.entry.path, name);
    std::optional<Entry> entry = TRY(read_entry(dirfd, name, info, path, TreeForm::Layer));
    if (!entry || entry->type == EntryType::Whiteout) {
      return {};  // layers hold neither sockets nor somebody's own marks
    }
    std::optional<Entry> below;
    if (on_lower) {
      below = TRY(lower_.lookup(path));
    }
    if (entry->type == EntryType::Directory) {
      return visit_directory(dirfd, name, std::move(*entry), below, out, depth);
    }
    if (below && TRY(is_unchanged(dirfd, name, info, *entry, *below))) {
      return {};
    }
    const int layer_dir = TRY(make(out));
    return sys::rename_at(dirfd, name, layer_dir, name);
  }

  Status visit_directory(int dirfd, const std::string& name, Entry entry,
                         const std::optional<Entry>& below, LayerDir& out, int depth) {
    const Fd dir = TRY(sys::open_at(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    entry.opaque = false;
    const bool on_lower = below && below->type == EntryType::Directory;
    const bool changed =
        !on_lower || !same_metadata(entry, *below) || !same_time(entry.mtime, below->mtime);
    LayerDir child{.parent = &out, .name = name, .entry = std::move(entry), .fd = {}};
    if (changed) {
      (void)TRY(make(child));
    }
    return diff(dir.get(), child, on_lower, depth + 1);
  }

  Result<bool> is_unchanged(int dirfd, const std::string& name, const struct stat& info,
                            const Entry& entry, const Entry& below) const {
    if (!same_metadata(entry, below) || !same_time(entry.mtime, below.mtime)) {
      return false;
    }
    if (before(info.st_ctim, copied_) || entry.type != EntryType::File) {
      return true;
    }
    // Its status changed. A link that was added or replaced must take all names of the file along.
    if (info.st_nlink > 1 || TRY(lower_.hard_link_id(below.path))) {
      return false;
    }
    const Fd mine = TRY(sys::open_at(dirfd, name, O_RDONLY | O_NOFOLLOW));
    const Fd theirs = TRY(lower_.open(below));
    return same_contents(mine.get(), theirs.get());
  }

  Result<int> make(LayerDir& dir) {
    if (!dir.fd) {
      const int parent = TRY(make(*dir.parent));
      TRY(sys::mkdir_at(parent, dir.name, 0700));
      dir.fd = TRY(sys::open_at(parent, dir.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    }
    return dir.fd.get();
  }

  const TreeView& lower_;
  const struct timespec copied_;
};

}  // namespace

Status diff_tree(const TreeView& lower, const std::string& changed, const std::string& layer,
                 struct timespec copied) {
  const Fd from = TRY(sys::open(changed, O_RDONLY | O_DIRECTORY));
  LayerDir root;
  const struct stat info = TRY(sys::fstat(from.get()));
  root.entry = TRY(read_directory_entry(from.get(), info, {}, TreeForm::Plain));
  root.fd = TRY(sys::open(layer, O_RDONLY | O_DIRECTORY));
  return Differ(lower, copied).diff(from.get(), root, true, 0);
}

}  // namespace mybuild::snapshotter
