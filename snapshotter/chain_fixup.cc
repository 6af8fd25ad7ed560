// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/chain_fixup.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/tree_entry.h"
#include "snapshotter/tree_view.h"
#include "snapshotter/whiteout.h"

#include <linux/openat2.h>

#include <cerrno>
#include <set>

namespace mybuild::snapshotter {

namespace {

/// Puts a directory's mtime back after its children were changed.
class KeepTime {
 public:
  static Result<KeepTime> of(int dirfd) {
    const struct stat info = TRY(sys::fstat(dirfd));
    return KeepTime(TRY(sys::dup(dirfd)), info.st_mtim);
  }
  KeepTime(KeepTime&&) = default;
  KeepTime& operator=(KeepTime&&) = delete;
  ~KeepTime() {
    if (fd_) {
      (void)sys::set_times(fd_.get(), mtime_);
    }
  }

 private:
  KeepTime(Fd fd, struct timespec mtime) : fd_(std::move(fd)), mtime_(mtime) {}
  Fd fd_;
  struct timespec mtime_;
};

class Settler {
 public:
  Settler(Fd root, std::unique_ptr<TreeView> lower, const LowerNeeds& needs)
      : root_(std::move(root)),
        lower_(std::move(lower)),
        implied_(needs.implied_dirs.begin(), needs.implied_dirs.end()) {}

  Status run(const LowerNeeds& needs) {
    while (!implied_.empty()) {
      const std::string path = std::move(implied_.extract(implied_.begin()).value());
      TRY(settle_directory(path).context(path));
    }
    for (const LowerNeeds::Link& link : needs.links) {
      TRY(settle_link(moved(link.path), moved(link.target)).context(link.path));
    }
    return needs.opaque_root ? hide_lower_names() : Status();
  }

 private:
  Result<Fd> open_dir(const std::string& path) const {
    return sys::open_at2(root_.get(), path.empty() ? "." : path, O_RDONLY | O_DIRECTORY,
                         RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
  }

  /// True when a directory above `path` in this layer hides all that is below it in others.
  Result<bool> is_hidden(std::string_view path) const {
    for (path = parent_path(path); !path.empty(); path = parent_path(path)) {
      const Fd dir = TRY(open_dir(std::string(path)));
      if (TRY(is_opaque(dir.get()))) {
        return true;
      }
    }
    return false;
  }

  Status settle_directory(const std::string& path) {
    if (TRY(is_hidden(path))) {
      return {};
    }
    const std::optional<Entry> below = TRY(lower_->lookup(path));
    if (below && below->type == EntryType::Symlink) {
      return follow_lower_link(path);
    }
    if (below && below->type == EntryType::Directory) {
      const Fd dir = TRY(open_dir(path));
      return finish_directory(dir.get(), *below);
    }
    return {};
  }

  /// `path` is a link below, so what the archive put into it belongs where the link leads.
  Status follow_lower_link(const std::string& path) {
    const std::string target = TRY(lower_->resolve(path));
    if (target.empty() || target == path || (target + "/").starts_with(path + "/")) {
      return invalid_argument("the link of a lower layer leads to {}", "/" + target);
    }
    const Fd to = TRY(make_dirs_as_below(target));
    const Fd parent = TRY(open_dir(std::string(parent_path(path))));
    const KeepTime keep_to = TRY(KeepTime::of(to.get()));
    const KeepTime keep_parent = TRY(KeepTime::of(parent.get()));
    {
      const Fd from = TRY(open_dir(path));
      TRY(merge(from.get(), to.get()));
    }
    TRY(sys::unlink_at(parent.get(), std::string(base_name(path)), AT_REMOVEDIR));
    moves_.push_back({path + "/", target + "/"});
    std::set<std::string> still_implied;
    for (const std::string& other : implied_) {
      still_implied.insert(moved(other));
    }
    implied_ = std::move(still_implied);
    return {};
  }

  static Status merge(int from, int to) {
    for (const DirItem& item : TRY(read_dir(from))) {
      const Result<struct stat> there = sys::lstat_at(to, item.name);
      const struct stat mine = TRY(sys::lstat_at(from, item.name));
      if (there && S_ISDIR(there->st_mode) && S_ISDIR(mine.st_mode)) {
        const Fd from_child =
            TRY(sys::open_at(from, item.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
        const Fd to_child = TRY(sys::open_at(to, item.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
        TRY(merge(from_child.get(), to_child.get()));
        TRY(sys::unlink_at(from, item.name, AT_REMOVEDIR));
        continue;
      }
      if (is_opaque_object(item.name, mine)) {
        TRY(sys::unlink_at(from, item.name));  // it spoke of a directory that is a link now
        continue;
      }
      if (there && is_whiteout(mine)) {
        TRY(sys::unlink_at(from, item.name));  // what this layer has wins over its own whiteout
        continue;
      }
      if (there) {
        TRY(remove_tree(to, item.name));
      }
      TRY(sys::rename_at(from, item.name, to, item.name));
    }
    return {};
  }

  std::string moved(std::string path) const {
    for (const auto& [from, to] : moves_) {
      if (path.starts_with(from)) {
        path.replace(0, from.size(), to);
      }
    }
    return path;
  }

  /// A directory of this layer, missing parts made with the metadata they have below.
  Result<Fd> make_dirs_as_below(const std::string& path) {
    Fd dir = TRY(open_dir(""));
    for (std::size_t end = 0; end < path.size();) {
      const std::size_t begin = end == 0 ? 0 : end + 1;
      end = std::min(path.find('/', begin), path.size());
      const std::string name = path.substr(begin, end - begin);
      const bool missing = !sys::exists_at(dir.get(), name);
      if (missing) {
        const KeepTime keep = TRY(KeepTime::of(dir.get()));
        TRY(sys::mkdir_at(dir.get(), name, 0755));
      }
      dir = TRY(sys::open_at(dir.get(), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
      if (missing) {
        Entry metadata;
        metadata.type = EntryType::Directory;
        metadata.mode = 0755;
        const std::optional<Entry> below = TRY(lower_->lookup(path.substr(0, end)));
        TRY(finish_directory(dir.get(),
                             below && below->type == EntryType::Directory ? *below : metadata));
      }
    }
    return dir;
  }

  /// As link(2) on a mounted stack: the lower file is copied up, so that both names share it.
  Status settle_link(const std::string& path, const std::string& wanted) {
    const std::string target = TRY(lower_->resolve(wanted, false));
    const Fd target_dir = TRY(make_dirs_as_below(std::string(parent_path(target))));
    const std::string target_name(base_name(target));
    const KeepTime keep_target = TRY(KeepTime::of(target_dir.get()));
    if (!sys::exists_at(target_dir.get(), target_name)) {
      TRY(copy_up(target, target_dir.get(), target_name));
    }
    const Fd dir = TRY(make_dirs_as_below(std::string(parent_path(path))));
    const KeepTime keep = TRY(KeepTime::of(dir.get()));
    return sys::link_at(target_dir.get(), target_name, dir.get(), std::string(base_name(path)));
  }

  Status copy_up(const std::string& path, int dirfd, const std::string& name) {
    const std::optional<Entry> below = TRY(lower_->lookup(path));
    if (!below) {
      return invalid_argument("a hard link to {}, which is in no layer", path);
    }
    if (below->type == EntryType::Directory) {
      return invalid_argument("a hard link to the directory {}", path);
    }
    if (below->type != EntryType::File) {
      return make_node(dirfd, name, *below);
    }
    const Fd from = TRY(lower_->open(*below));
    const Fd to = TRY(create_file(dirfd, name));
    TRY(sys::copy_file(from.get(), to.get()));
    return finish_file(to.get(), *below);
  }

  Status hide_lower_names() {
    const KeepTime keep = TRY(KeepTime::of(root_.get()));
    for (const std::string& name : TRY(lower_->list(""))) {
      const Result<struct stat> mine = sys::lstat_at(root_.get(), name);
      if (!mine) {
        TRY(make_whiteout(root_.get(), name));
      } else if (S_ISDIR(mine->st_mode)) {
        const Fd dir = TRY(open_dir(name));
        const KeepTime keep_dir = TRY(KeepTime::of(dir.get()));
        TRY(set_opaque(dir.get()));
      }
    }
    return {};
  }

  const Fd root_;
  const std::unique_ptr<TreeView> lower_;
  std::set<std::string> implied_;  // still to settle, parents first
  std::vector<std::pair<std::string, std::string>>
      moves_;  // prefixes, in the order they were moved
};

}  // namespace

Status settle_on_lower(const std::string& dir, const std::vector<std::string>& lower,
                       const LowerNeeds& needs) {
  Fd root = TRY(sys::open(dir, O_RDONLY | O_DIRECTORY));
  std::unique_ptr<TreeView> below = TRY(open_layered_view(lower));
  Settler settler(std::move(root), std::move(below), needs);
  return settler.run(needs);
}

}  // namespace mybuild::snapshotter
