// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/tree_scan.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/tree_entry.h"
#include "snapshotter/whiteout.h"

#include <linux/openat2.h>

#include <map>

namespace mybuild::snapshotter {

namespace {

/// Deeper trees would need a descriptor per level; nobody makes them but to break builders.
constexpr int kMaxDepth = 1000;

class Scanner {
 public:
  explicit Scanner(ScanOptions options) : options_(options) {}

  Status scan(int dirfd, const std::string& path, int depth) {
    if (depth > kMaxDepth) {
      return invalid_argument("{}: directories nested deeper than {}", path, kMaxDepth);
    }
    for (const DirItem& item : TRY(read_dir(dirfd))) {
      TRY(visit(dirfd, item.name, join_path(path, item.name), depth));
    }
    return {};
  }

  ScannedTree result;

 private:
  Status visit(int dirfd, const std::string& name, std::string path, int depth) {
    const struct stat info = TRY(sys::lstat_at(dirfd, name));
    if (is_opaque_object(name, info)) {
      return {};  // its directory's entry says it
    }
    std::optional<Entry> entry =
        TRY(read_entry(dirfd, name, info, std::move(path), TreeForm::Layer));
    if (!entry) {
      return options_.normalise ? sys::unlink_at(dirfd, name) : Status();
    }
    const std::string own_path = entry->path;
    add(std::move(*entry), info);
    if (S_ISDIR(info.st_mode)) {
      const Fd dir = TRY(sys::open_at(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
      TRY(scan(dir.get(), own_path, depth + 1));
    }
    return truncate_time(dirfd, name, info);
  }

  void add(Entry entry, const struct stat& info) {
    if (info.st_nlink > 1 && entry.type != EntryType::Directory &&
        entry.type != EntryType::Whiteout) {  // overlayfs makes all whiteouts links of one node
      const auto [first, is_first] =
          first_names_.emplace(std::pair(info.st_dev, info.st_ino), entry.path);
      if (!is_first) {
        entry.type = EntryType::HardLink;
        entry.link = first->second;
        entry.size = 0;
        entry.xattrs.clear();
        entry.device_major = entry.device_minor = 0;
      }
    }
    if (entry.type == EntryType::File) {
      result.size += entry.size;
    }
    entry.mtime.tv_nsec = 0;
    if (options_.note_inodes) {
      result.inodes.push_back(info.st_ino);
    }
    result.changes.push_back(std::move(entry));
  }

  /// After a directory's children, as removing a socket touches it.
  Status truncate_time(int dirfd, const std::string& name, const struct stat& info) const {
    const bool exact = info.st_mtim.tv_nsec == 0 && !S_ISDIR(info.st_mode);
    if (!options_.normalise || exact || is_whiteout(info)) {
      return {};
    }
    return sys::set_times_at(dirfd, name, {.tv_sec = info.st_mtim.tv_sec, .tv_nsec = 0});
  }

  ScanOptions options_;
  std::map<std::pair<dev_t, ino_t>, std::string> first_names_;
};

class TreeContents final : public EntryContents {
 public:
  explicit TreeContents(Fd root) : root_(std::move(root)) {}
  Result<Fd> open(const Entry& entry) const override {
    return sys::open_at2(root_.get(), entry.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
                         RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
  }

 private:
  Fd root_;
};

}  // namespace

Result<ScannedTree> scan_layer_tree(int root_fd, ScanOptions options) {
  Scanner scanner(options);
  TRY(scanner.scan(root_fd, {}, 0));
  return std::move(scanner.result);
}

std::unique_ptr<EntryContents> tree_contents(Fd root_fd) {
  return std::make_unique<TreeContents>(std::move(root_fd));
}

}  // namespace mybuild::snapshotter
