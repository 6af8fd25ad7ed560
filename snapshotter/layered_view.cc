// SPDX-License-Identifier: Apache-2.0
// The one implementation of TreeView: a stack of directories, of which a plain directory is the
// case without whiteouts. A directory of the merged tree is the list of open directories that make
// it up, topmost first; those lists are cached, as neighbours are asked for one after the other.
#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/tree_entry.h"
#include "snapshotter/tree_view.h"
#include "snapshotter/whiteout.h"

#include <dirent.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <unordered_map>

namespace mybuild::snapshotter {

namespace {

/// Where a name of a merged directory comes from; `hidden` by a whiteout.
struct IndexItem {
  std::string name;
  std::uint32_t dir = 0;
  bool hidden = false;
};

/// A directory of the merged tree. Descriptors are O_PATH.
struct MergedDir {
  std::vector<Fd> dirs;  // topmost first
  std::mutex mutex;
  unsigned lookups = 0;
  std::optional<std::vector<IndexItem>> index;  // sorted by name
};
using MergedDirPtr = std::shared_ptr<MergedDir>;

/// After this many lookups in one directory of several layers its names are listed once instead of
/// asking each layer.
constexpr unsigned kIndexAfter = 8;
constexpr std::size_t kMaxCachedDirs = 4096;
constexpr std::size_t kMaxCachedFds = 256;
constexpr int kReadAttempts = 5;

struct Found {
  std::uint32_t dir = 0;
  struct stat info {};
};

bool is_missing(const Error& error) {
  return error.os_errno() == ENOENT || error.os_errno() == ENOTDIR;
}

/// Not a name that a single openat(2) could leave the directory with.
bool is_plain_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string_view::npos;
}

struct PathHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view path) const {
    return std::hash<std::string_view>()(path);
  }
};

class StackedView final : public TreeView {
 public:
  StackedView(MergedDirPtr root, TreeForm form, ContentMemory memory)
      : form_(form),
        memory_(memory),
        root_(std::move(root)),
        max_fds_(std::max(kMaxCachedFds, 4 * root_->dirs.size())) {}

  Result<std::optional<Entry>> lookup(std::string_view path) const override {
    if (path.empty()) {
      return std::optional(TRY(root_entry()));
    }
    const MergedDirPtr parent = TRY(directory(parent_path(path)));
    const std::string name(base_name(path));
    const std::optional<Found> found = TRY(find(parent, name));
    if (!found) {
      return std::optional<Entry>();
    }
    return entry_of(parent->dirs[found->dir].get(), name, found->info, std::string(path));
  }

  Result<std::vector<std::string>> list(std::string_view path) const override {
    const MergedDirPtr dir = TRY(directory(path));
    if (!dir) {
      return not_found("{} is not a directory", path);
    }
    std::vector<std::string> names;
    for (IndexItem& item : TRY(merged_names(*dir))) {
      if (!item.hidden) {
        names.push_back(std::move(item.name));
      }
    }
    return names;
  }

  Result<std::optional<HardLinkId>> hard_link_id(std::string_view path) const override {
    const MergedDirPtr parent = TRY(directory(parent_path(path)));
    const std::optional<Found> found = TRY(find(parent, std::string(base_name(path))));
    return found ? id_of(found->info) : std::nullopt;
  }

  Result<std::vector<ListedEntry>> read_directory(std::string_view path,
                                                  const NameFilter& wanted) const override {
    const MergedDirPtr dir = TRY(directory(path));
    if (!dir || dir->dirs.size() != 1 || form_ != TreeForm::Plain) {
      return TreeView::read_directory(path, wanted);
    }
    const int fd = dir->dirs.front().get();
    std::vector<ListedEntry> listed;
    const std::vector<DirItem> items = TRY(read_dir(fd));
    listed.reserve(items.size());
    for (const DirItem& item : items) {
      if (item.type == DT_SOCK || !wanted(item.name)) {
        continue;
      }
      const Result<struct stat> info = sys::lstat_at(fd, item.name);
      if (!info && is_missing(info.error())) {
        continue;  // it went since
      }
      const struct stat found = TRY(Result<struct stat>(info));
      std::optional<Entry> entry = TRY(entry_of(fd, item.name, found, join_path(path, item.name)));
      if (entry) {
        listed.push_back({.entry = std::move(*entry), .hard_link = id_of(found)});
      }
    }
    return listed;
  }

  Status hash(Entry& file) const override {
    if (form_ != TreeForm::Plain) {
      return TreeView::hash(file);  // nobody writes to layers
    }
    for (int attempt = 0; attempt < kReadAttempts; ++attempt) {
      const Fd fd = TRY(open(file));
      if (std::optional<Entry> read = TRY(memory_.read(fd.get(), file.path))) {
        file = std::move(*read);
        return {};
      }
    }
    return data_loss("{}: changed while it was being read, {} times in a row", file.path,
                     kReadAttempts)
        .with_hint("stop what writes to it, or put it into the ignore file");
  }

  void distrust(const Entry& file) const override {
    const Result<MergedDirPtr> parent = directory(parent_path(file.path));
    if (!parent) {
      return;
    }
    const Result<std::optional<Found>> found = find(*parent, std::string(base_name(file.path)));
    if (found && *found) {
      memory_.forget((*found)->info);
    }
  }

  Result<Fd> open(const Entry& entry) const override {
    const MergedDirPtr parent = TRY(directory(parent_path(entry.path)));
    const std::string name(base_name(entry.path));
    const std::optional<Found> found = TRY(find(parent, name));
    if (!found) {
      return not_found("open {}: no such file", entry.path);
    }
    if (!S_ISREG(found->info.st_mode)) {
      return invalid_argument("open {}: not a regular file", entry.path);
    }
    // The type may have changed since: O_NONBLOCK keeps a FIFO from blocking.
    Fd fd = TRY(sys::open_at(parent->dirs[found->dir].get(), name,
                             O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
                    .context(entry.path));
    return fd;
  }

 private:
  static std::optional<HardLinkId> id_of(const struct stat& info) {
    if (!S_ISREG(info.st_mode) || info.st_nlink < 2) {
      return std::nullopt;
    }
    return HardLinkId(info.st_dev, info.st_ino);
  }

  Result<std::optional<Entry>> entry_of(int dir, const std::string& name, const struct stat& info,
                                        std::string path) const {
    const std::optional<FileFacts> facts =
        S_ISREG(info.st_mode) ? memory_.recall(info) : std::nullopt;
    std::optional<Entry> entry =
        TRY(read_entry(dir, name, info, std::move(path), form_,
                       facts && facts->bare ? Attributes::None : Attributes::Read));
    if (entry) {
      entry->opaque = false;  // a fact about one layer, not about the merged tree
    }
    if (entry && facts) {
      entry->content = facts->content;
    }
    return entry;
  }

  Result<Entry> root_entry() const {
    if (root_->dirs.empty()) {
      Entry entry;
      entry.type = EntryType::Directory;
      entry.mode = 0755;
      return entry;
    }
    const int fd = root_->dirs.front().get();
    const struct stat info = TRY(sys::fstat(fd));
    Entry entry = TRY(read_directory_entry(fd, info, {}, form_));
    entry.opaque = false;
    return entry;
  }

  /// Null when there is no such directory.
  Result<MergedDirPtr> directory(std::string_view path) const {
    if (path.empty()) {
      return root_;
    }
    {
      const std::lock_guard lock(mutex_);
      if (const auto known = cache_.find(path); known != cache_.end()) {
        return known->second;
      }
    }
    const MergedDirPtr parent = TRY(directory(parent_path(path)));
    MergedDirPtr dir = TRY(open_child(parent, std::string(base_name(path))));
    remember(path, dir);
    return dir;
  }

  void remember(std::string_view path, const MergedDirPtr& dir) const {
    const std::size_t fds = dir ? dir->dirs.size() : 0;
    const std::lock_guard lock(mutex_);
    if (cached_fds_ + fds > max_fds_ || cache_.size() >= kMaxCachedDirs) {
      cache_.clear();
      cached_fds_ = 0;
    }
    if (cache_.emplace(path, dir).second) {
      cached_fds_ += fds;
    }
  }

  /// From the topmost layer down, until one hides what is below it.
  Result<MergedDirPtr> open_child(const MergedDirPtr& parent, const std::string& name) const {
    if (!parent || !is_plain_name(name)) {
      return MergedDirPtr();
    }
    auto merged = std::make_shared<MergedDir>();
    for (std::size_t i = 0; i < parent->dirs.size(); ++i) {
      Result<Fd> dir = sys::open_at(parent->dirs[i].get(), name, O_PATH | O_DIRECTORY | O_NOFOLLOW);
      if (!dir && dir.error().os_errno() == ENOENT) {
        continue;
      }
      if (!dir && is_missing(dir.error())) {
        break;  // anything but a directory hides the lower ones
      }
      if (!dir) {
        return std::move(dir).error();
      }
      merged->dirs.push_back(std::move(dir).value());
      const bool last = i + 1 == parent->dirs.size();
      if (!last && form_ == TreeForm::Layer && TRY(is_opaque(merged->dirs.back().get()))) {
        break;
      }
    }
    return merged->dirs.empty() ? MergedDirPtr() : merged;
  }

  Result<std::optional<Found>> find(const MergedDirPtr& parent, const std::string& name) const {
    if (!parent || !is_plain_name(name)) {
      return std::optional<Found>();
    }
    if (parent->dirs.size() > 1) {
      const std::lock_guard lock(parent->mutex);
      if (!parent->index && ++parent->lookups > kIndexAfter) {
        parent->index = TRY(merged_names(*parent));
      }
      if (parent->index) {
        return find_indexed(*parent, name);
      }
    }
    for (std::uint32_t i = 0; i < parent->dirs.size(); ++i) {
      const Result<struct stat> info = sys::lstat_at(parent->dirs[i].get(), name);
      if (info) {
        return visible({.dir = i, .info = *info});
      }
      if (!is_missing(info.error())) {
        return info.error();
      }
    }
    return std::optional<Found>();
  }

  Result<std::optional<Found>> find_indexed(const MergedDir& parent,
                                            const std::string& name) const {
    const std::vector<IndexItem>& index = *parent.index;
    const auto item = std::lower_bound(
        index.begin(), index.end(), name,
        [](const IndexItem& left, const std::string& right) { return left.name < right; });
    if (item == index.end() || item->name != name || item->hidden) {
      return std::optional<Found>();
    }
    const struct stat info = TRY(sys::lstat_at(parent.dirs[item->dir].get(), name));
    return visible({.dir = item->dir, .info = info});
  }

  std::optional<Found> visible(const Found& found) const {
    if (form_ == TreeForm::Layer && is_whiteout(found.info)) {
      return std::nullopt;
    }
    return found;
  }

  /// All names with the topmost layer that has each. Sockets are left out, as lookup() has no entry
  /// for them.
  Result<std::vector<IndexItem>> merged_names(const MergedDir& dir) const {
    std::vector<IndexItem> merged;
    for (std::uint32_t i = 0; i < dir.dirs.size(); ++i) {
      const int fd = dir.dirs[i].get();
      for (DirItem& item : TRY(read_dir(fd))) {
        merged.push_back({.name = std::move(item.name), .dir = i, .hidden = item.type == DT_SOCK});
        const bool unsure = item.type == DT_UNKNOWN || item.type == DT_CHR;
        if (unsure && (form_ == TreeForm::Layer || item.type == DT_UNKNOWN)) {
          const struct stat info = TRY(sys::lstat_at(fd, merged.back().name));
          merged.back().hidden = S_ISSOCK(info.st_mode) || !visible({.dir = i, .info = info});
        }
      }
    }
    const auto before = [](const IndexItem& a, const IndexItem& b) {
      return a.name != b.name ? a.name < b.name : a.dir < b.dir;
    };
    const auto same = [](const IndexItem& a, const IndexItem& b) { return a.name == b.name; };
    std::sort(merged.begin(), merged.end(), before);
    merged.erase(std::unique(merged.begin(), merged.end(), same), merged.end());
    return merged;
  }

  const TreeForm form_;
  const ContentMemory memory_;
  const MergedDirPtr root_;
  const std::size_t max_fds_;
  mutable std::mutex mutex_;
  mutable std::unordered_map<std::string, MergedDirPtr, PathHash, std::equal_to<>> cache_;
  mutable std::size_t cached_fds_ = 0;
};

Result<std::unique_ptr<TreeView>> open_stack(std::span<const std::string> dirs, TreeForm form,
                                             ContentMemory memory) {
  auto root = std::make_shared<MergedDir>();
  for (auto dir = dirs.rbegin(); dir != dirs.rend(); ++dir) {
    root->dirs.push_back(TRY(sys::open(*dir, O_PATH | O_DIRECTORY)));
  }
  return std::unique_ptr<TreeView>(std::make_unique<StackedView>(std::move(root), form, memory));
}

}  // namespace

Result<std::unique_ptr<TreeView>> open_directory_view(const std::string& root,
                                                      ContentMemory memory) {
  return open_stack(std::span(&root, 1), TreeForm::Plain, memory);
}

Result<std::unique_ptr<TreeView>> open_layered_view(const std::vector<std::string>& layer_dirs) {
  return open_stack(layer_dirs, TreeForm::Layer, {});
}

}  // namespace mybuild::snapshotter
