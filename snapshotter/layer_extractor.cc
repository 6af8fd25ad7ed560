// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/layer_extractor.h"

#include "snapshotter/archive/codec.h"
#include "snapshotter/archive/tar_reader.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/log.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/tree_entry.h"
#include "snapshotter/whiteout.h"

#include <linux/openat2.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <unordered_map>

namespace mybuild::snapshotter {

namespace {

constexpr std::size_t kBuffer = 256 * 1024;
constexpr std::uint64_t kLargeFile = 64 << 20;
constexpr int kMaxLinks = 255;
constexpr std::size_t kMaxCachedDirs = 64;  // descriptors; several layers are unpacked at once

class NullSink final : public Sink {
 public:
  Status write(ByteSpan) override { return {}; }
};

/// A directory of the layer: its path without links, and a descriptor (O_PATH).
struct Place {
  std::string path;
  Fd fd;
};

struct DirState {
  Entry metadata;
  bool implied = false;
};

bool is_below(std::string_view path, std::string_view dir) {
  return path.size() > dir.size() && path.starts_with(dir) && path[dir.size()] == '/';
}

/// Erases `path` and all below it from a map ordered by path.
template <class Map>
void erase_subtree(Map& map, const std::string& path) {
  map.erase(path);
  auto item = map.lower_bound(path + "/");
  while (item != map.end() && is_below(item->first, path)) {
    item = map.erase(item);
  }
}

class Extractor {
 public:
  explicit Extractor(Fd root) : root_(std::move(root)) {
    dirs_[""] = described_by_default("", false);
  }

  Status add(const Entry& entry, TarReader& reader) {
    if (entry.path.empty()) {
      return add_root(entry);
    }
    if (entry.type == EntryType::Directory && entry.opaque) {
      return mark_opaque(entry.path);
    }
    const Place* parent = TRY(enter(parent_path(entry.path), true));
    const std::string name(base_name(entry.path));
    const std::string path = join_path(parent->path, name);
    if (!links_.empty() && entry.type != EntryType::Whiteout) {
      erase_subtree(links_, path);
    }
    switch (entry.type) {
      case EntryType::Directory:
        return add_directory(*parent, name, path, entry);
      case EntryType::File:
        return add_file(*parent, name, path, entry, reader);
      case EntryType::HardLink:
        return add_link(*parent, name, path, entry);
      case EntryType::Whiteout:
        return add_whiteout(*parent, name, path);
      default:
        return add_node(*parent, name, path, entry);
    }
  }

  /// Metadata of directories, which their children have changed meanwhile; deepest first.
  Result<LowerNeeds> finish() {
    LowerNeeds needs;
    for (auto dir = dirs_.rbegin(); dir != dirs_.rend(); ++dir) {
      const Fd fd =
          TRY(sys::open_at2(root_.get(), dir->first.empty() ? "." : dir->first,
                            O_RDONLY | O_DIRECTORY, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS));
      TRY(finish_directory(fd.get(), dir->second.metadata));
      if (dir->second.implied) {
        needs.implied_dirs.push_back(dir->first);
      }
    }
    std::reverse(needs.implied_dirs.begin(), needs.implied_dirs.end());
    std::vector<std::pair<std::size_t, LowerNeeds::Link>> links;
    for (auto& [path, link] : links_) {
      links.push_back({link.order, {.path = path, .target = link.target}});
    }
    std::sort(links.begin(), links.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    for (auto& [order, link] : links) {
      needs.links.push_back(std::move(link));
    }
    needs.opaque_root = opaque_root_;
    return needs;
  }

  std::uint64_t size() const { return size_; }
  KnownContents take_contents() { return std::move(contents_); }

 private:
  struct PendingLink {
    std::size_t order = 0;
    std::string target;
  };

  /// What a directory has when neither the tar nor a lower layer describes it.
  static DirState described_by_default(std::string path, bool implied) {
    DirState state;
    state.metadata.path = std::move(path);
    state.metadata.type = EntryType::Directory;
    state.metadata.mode = 0755;
    state.implied = implied;
    return state;
  }

  Status add_root(const Entry& entry) {
    if (entry.type != EntryType::Directory) {
      return invalid_argument("the archive says that / is not a directory");
    }
    if (entry.opaque) {
      opaque_root_ = true;
    } else {
      dirs_[""].metadata = entry;
    }
    return {};
  }

  Status mark_opaque(const std::string& path) {
    const Place* dir = TRY(enter(path, true));
    if (dir->path.empty()) {
      opaque_root_ = true;
    } else {
      dirs_[dir->path].metadata.opaque = true;
    }
    return {};
  }

  Status add_directory(const Place& parent, const std::string& name, const std::string& path,
                       const Entry& entry) {
    bool opaque = false;
    const Result<struct stat> there = sys::lstat_at(parent.fd.get(), name);
    if (there && S_ISDIR(there->st_mode)) {
      opaque = dirs_[path].metadata.opaque;
    } else {
      // A directory after a whiteout of the same layer replaces what the whiteout hid.
      opaque = there && is_whiteout(*there);
      const int fd = parent.fd.get();
      if (there) {
        TRY(make_room(fd, name, path));
      }
      TRY(sys::mkdir_at(fd, name, 0700));
    }
    dirs_[path] = DirState{.metadata = entry, .implied = false};
    dirs_[path].metadata.path = path;
    dirs_[path].metadata.opaque = opaque;
    return {};
  }

  /// An entry of a few bytes can stand for more zeros than there are disks.
  static Status check_room(const Fd& fd, const Entry& entry) {
    struct statvfs info {};
    if (entry.size < kLargeFile || ::fstatvfs(fd.get(), &info) < 0 ||
        entry.size / info.f_frsize <= info.f_bavail) {
      return {};
    }
    return os_error(ENOSPC, fmt::format("make a file of {} bytes", entry.size));
  }

  Status add_file(const Place& parent, const std::string& name, const std::string& path,
                  const Entry& entry, TarReader& reader) {
    const Fd fd = TRY(create_in(parent.fd.get(), name, path, entry.mode));
    TRY(check_room(fd, entry));
    for (;;) {
      const std::size_t count = TRY(reader.read(buffer_));
      if (count == 0) {
        break;
      }
      const ByteSpan bytes = ByteSpan(buffer_).first(count);
      content_.update(bytes);
      TRY(sys::write_all(fd.get(), bytes));
      size_ += count;
    }
    contents_[TRY(sys::fstat(fd.get())).st_ino] = content_.finish();
    return finish_file(fd.get(), entry);
  }

  Result<Fd> create_in(int dirfd, const std::string& name, const std::string& path, mode_t mode) {
    Result<Fd> file = create_file(dirfd, name, mode);
    if (!file && file.error().os_errno() == EEXIST) {
      TRY(make_room(dirfd, name, path));
      file = create_file(dirfd, name, mode);
    }
    return file;
  }

  Status add_node(const Place& parent, const std::string& name, const std::string& path,
                  const Entry& entry) {
    const int dirfd = parent.fd.get();
    if (sys::exists_at(dirfd, name)) {
      TRY(make_room(dirfd, name, path));
    }
    Status made = make_node(dirfd, name, entry);
    const bool device = entry.type == EntryType::CharDevice || entry.type == EntryType::BlockDevice;
    if (!made && device && made.error().os_errno() == EPERM) {
      log::debug("{}: left out, this process may not make devices", entry.path);
      return {};
    }
    return made;
  }

  Status add_whiteout(const Place& parent, const std::string& name, const std::string& path) {
    const Result<struct stat> there = sys::lstat_at(parent.fd.get(), name);
    if (!there) {
      return make_whiteout(parent.fd.get(), name);
    }
    // A whiteout speaks of lower layers only: what this layer has stays, and shows nothing from
    // below.
    if (S_ISDIR(there->st_mode)) {
      dirs_[path].metadata.opaque = true;
    }
    return {};
  }

  Status add_link(const Place& parent, const std::string& name, const std::string& path,
                  const Entry& entry) {
    const Fd here = TRY(sys::dup(parent.fd.get()));  // `parent` ends with the next enter()
    const Place* dir = TRY(enter(parent_path(entry.link), false));
    const std::string target_name(base_name(entry.link));
    const std::string target = dir == nullptr ? entry.link : join_path(dir->path, target_name);
    if (target == path) {
      return {};
    }
    const Result<struct stat> first = dir == nullptr ? Result<struct stat>(not_found("{}", target))
                                                     : sys::lstat_at(dir->fd.get(), target_name);
    if (!first && first.error().kind() != ErrorKind::NotFound) {
      return first.error();
    }
    if (first && S_ISDIR(first->st_mode)) {
      return invalid_argument("{}: a hard link to the directory {}", entry.path, entry.link);
    }
    const Fd from = dir == nullptr ? Fd() : TRY(sys::dup(dir->fd.get()));
    if (sys::exists_at(here.get(), name)) {
      TRY(make_room(here.get(), name, path));
    }
    if (!first || is_whiteout(*first)) {
      links_[path] = {.order = next_order_++, .target = target};
      return {};
    }
    return sys::link_at(from.get(), target_name, here.get(), name);
  }

  /// Removes what an earlier entry of the archive put there. `dirfd` stays valid.
  Status make_room(int dirfd, const std::string& name, const std::string& path) {
    const struct stat there = TRY(sys::lstat_at(dirfd, name));
    if (!S_ISDIR(there.st_mode)) {
      stale_ |= S_ISLNK(there.st_mode);
      return sys::unlink_at(dirfd, name);
    }
    stale_ = true;
    erase_subtree(dirs_, path);
    erase_subtree(links_, path);
    return remove_tree(dirfd, name);
  }

  /// The directory that `path` leads to; made if missing, or null. The answer is valid until the
  /// next call.
  Result<const Place*> enter(std::string_view path, bool create) {
    if (stale_ || cache_.size() > kMaxCachedDirs) {
      cache_.clear();
      stale_ = false;
    }
    std::string key(path);
    if (const auto known = cache_.find(key); known != cache_.end()) {
      return &known->second;
    }
    std::optional<Place> place = TRY(walk(path, create));
    if (!place) {
      return static_cast<const Place*>(nullptr);
    }
    const Place* answer = &cache_.emplace(std::move(key), std::move(*place)).first->second;
    return answer;
  }

  Result<std::optional<Place>> walk(std::string_view path, bool create) {
    std::vector<Place> stack;
    Fd root = TRY(sys::dup(root_.get()));
    stack.push_back({.path = {}, .fd = std::move(root)});
    std::vector<std::string> todo;
    push_parts(todo, path);
    for (int links = 0; !todo.empty();) {
      const std::string part = std::move(todo.back());
      todo.pop_back();
      if (part == "..") {
        if (stack.size() > 1) {
          stack.pop_back();
        }
        continue;
      }
      const int here = stack.back().fd.get();
      Result<Fd> next = sys::open_at(here, part, O_PATH | O_DIRECTORY | O_NOFOLLOW);
      std::string next_path = join_path(stack.back().path, part);
      if (!next && next.error().os_errno() == ENOTDIR) {
        const struct stat info = TRY(sys::lstat_at(here, part));
        if (S_ISLNK(info.st_mode)) {
          if (++links > kMaxLinks) {
            return invalid_argument("{}: too many levels of symbolic links", path);
          }
          const std::string target = TRY(sys::readlink_at(here, part));
          if (target.starts_with('/')) {
            stack.resize(1);
          }
          push_parts(todo, target);
          continue;
        }
        if (!is_whiteout(info)) {
          return invalid_argument("{}: {} is not a directory", path, next_path);
        }
      }
      if (!next) {
        // Only what is not there, or not a directory, may be made: one that cannot be opened for
        // want of descriptors or memory is there, and stays.
        if (const int why = next.error().os_errno(); why != ENOENT && why != ENOTDIR) {
          return std::move(next).error().context("open " + next_path);
        }
        if (!create) {
          return std::optional<Place>();
        }
        next = TRY(make_implied(here, part, next_path));
      }
      stack.push_back({.path = std::move(next_path), .fd = std::move(next).value()});
    }
    return std::optional(std::move(stack.back()));
  }

  static void push_parts(std::vector<std::string>& todo, std::string_view path) {
    const auto base = static_cast<std::ptrdiff_t>(todo.size());
    while (!path.empty()) {
      const std::size_t end = std::min(path.find('/'), path.size());
      if (const std::string_view part = path.substr(0, end); !part.empty() && part != ".") {
        todo.emplace_back(part);
      }
      path.remove_prefix(std::min(end + 1, path.size()));
    }
    std::reverse(todo.begin() + base, todo.end());
  }

  Result<Fd> make_implied(int dirfd, const std::string& name, const std::string& path) {
    const bool replaces = sys::exists_at(dirfd, name);  // only ever a whiteout, see walk()
    if (replaces) {
      TRY(sys::unlink_at(dirfd, name));
    }
    TRY(sys::mkdir_at(dirfd, name, 0700));
    dirs_[path] = described_by_default(path, !replaces);
    dirs_[path].metadata.opaque = replaces;
    return sys::open_at(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW);
  }

  const Fd root_;
  std::unordered_map<std::string, Place> cache_;  // by the path as the archive wrote it
  bool stale_ = false;                            // a cached path may lead elsewhere now
  std::map<std::string, DirState> dirs_;
  std::map<std::string, PendingLink> links_;
  std::size_t next_order_ = 0;
  bool opaque_root_ = false;
  std::uint64_t size_ = 0;
  ContentHasher content_;
  KnownContents contents_;
  std::vector<std::byte> buffer_ = std::vector<std::byte>(kBuffer);
};

}  // namespace

Result<ExtractedLayer> extract_layer(Source& blob, const std::string& dir,
                                     ReadAhead::Reader reader_of_blob) {
  const std::unique_ptr<Source> plain = TRY(make_decompressor(blob));
  ReadAhead source(*plain, reader_of_blob);
  Extractor extractor(TRY(sys::open(dir, O_RDONLY | O_DIRECTORY)));
  {
    TarReader reader = TRY(TarReader::open(source, {.layer = true}));
    while (std::optional<Entry> entry = TRY(reader.next())) {
      TRY(extractor.add(*entry, reader).context(entry->path));
    }
  }
  // The diff id covers what follows the end mark; a download checks its digest at its own end.
  NullSink nowhere;
  TRY(copy(source, nowhere));
  ExtractedLayer layer;
  layer.diff_id = source.finish();
  TRY(copy(blob, nowhere));
  layer.needs = TRY(extractor.finish());
  layer.size = extractor.size();
  layer.contents = extractor.take_contents();
  return layer;
}

}  // namespace mybuild::snapshotter
