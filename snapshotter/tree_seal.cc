// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/tree_seal.h"

#include "snapshotter/base/cpu.h"
#include "snapshotter/base/fd.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/tree_entry.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <set>
#include <utility>
#include <vector>

namespace mybuild::snapshotter {

namespace {

constexpr std::size_t kHalf = 16;
/// A tree is cut at its directories of this depth: each and all below it can be read by any thread.
constexpr int kCutDepth = 2;
/// Fewer of them are read by this thread, before oneTBB is loaded.
constexpr std::size_t kParallelFrom = 16;
/// usr/share may have more in it than all the rest: its directories are for any thread, too, and
/// theirs.
constexpr std::size_t kSplitFrom = 8;
constexpr int kSplits = 2;
/// Each has a descriptor; what is more is read before the others.
constexpr std::size_t kMostCut = 256;

struct Linked {
  dev_t device;
  ino_t inode;
  std::uint64_t disk;
};

/// What is said of a part of a tree, in the order of a walk.
struct Part {
  Fd cut;               // to be read with all below it; empty: it is read
  std::string facts;    // of each object, all but its ctime
  std::string changes;  // ctimes
  std::uint64_t disk = 0;
  std::vector<Linked> linked;  // what may have other names elsewhere, not in `disk`
  Status status;
};

std::uint64_t disk_of(const struct stat& info) {
  constexpr std::uint64_t kBlock = 512;  // stat(2): whatever the file system's own is
  return static_cast<std::uint64_t>(info.st_blocks) * kBlock;
}

template <class T>
void append_bytes(std::string& text, const T& values) {
  text.append(reinterpret_cast<const char*>(values.data()), sizeof values);
}

void add_object(const std::string& name, const struct stat& info, Part& part) {
  // A directory's size is the file system's affair.
  const auto size = S_ISDIR(info.st_mode) ? 0 : static_cast<std::uint64_t>(info.st_size);
  const std::array<std::uint64_t, 7> facts = {info.st_mode,
                                              info.st_uid,
                                              info.st_gid,
                                              size,
                                              static_cast<std::uint64_t>(info.st_mtim.tv_sec),
                                              static_cast<std::uint64_t>(info.st_mtim.tv_nsec),
                                              info.st_rdev};
  part.facts.append(name.c_str(), name.size() + 1);
  append_bytes(part.facts, facts);
  append_bytes(part.changes,
               std::array<std::int64_t, 2>{info.st_ctim.tv_sec, info.st_ctim.tv_nsec});
  if (S_ISDIR(info.st_mode) || info.st_nlink == 1 || info.st_blocks == 0) {
    part.disk += disk_of(info);
  } else {
    part.linked.push_back({.device = info.st_dev, .inode = info.st_ino, .disk = disk_of(info)});
  }
}

void end_directory(Part& part) {
  part.facts.append("\0/", 2);
}

Result<Fd> open_directory(int parent, const std::string& name) {
  return sys::open_at(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

/// Parts of a walk, one after the other.
void append(Part&& next, Part& part) {
  part.facts += next.facts;
  part.changes += next.changes;
  part.disk += next.disk;
  part.linked.insert(part.linked.end(), next.linked.begin(), next.linked.end());
}

Status add_all_below(int dirfd, int splits, Part& part);

Status add_below(int dirfd, const std::string& name, int splits, Part& part) {
  const Fd child = TRY(open_directory(dirfd, name));
  return add_all_below(child.get(), splits, part);
}

/// The directories in `dirfd`, each by any thread.
Result<std::vector<Part>> read_each(int dirfd, const std::vector<std::string>& names, int splits) {
  std::vector<Part> parts(names.size());
  cpu::for_each(names.size(), [&](std::size_t i) {
    parts[i].status = add_below(dirfd, names[i], splits, parts[i]);
  });
  for (const Part& part : parts) {
    TRY(Status(part.status));
  }
  return parts;
}

/// Those that are known to be directories, if they are so many that it pays to split them.
std::vector<std::string> worth_splitting(const std::vector<DirItem>& items) {
  std::vector<std::string> names;
  for (const DirItem& item : items) {
    if (item.type == DT_DIR) {
      names.push_back(item.name);
    }
  }
  return names.size() < kSplitFrom ? std::vector<std::string>() : names;
}

/// `dirfd` was not read from before. It is split among threads, and what is below it, so often.
Status add_all_below(int dirfd, int splits, Part& part) {
  const std::vector<DirItem> items = TRY(read_fresh_dir(dirfd));
  std::vector<Part> below;
  if (splits > 0) {
    below = TRY(read_each(dirfd, worth_splitting(items), splits - 1));
  }
  auto next = below.begin();
  for (const DirItem& item : items) {
    const struct stat info = TRY(sys::lstat_at(dirfd, item.name));
    add_object(item.name, info, part);
    if (next != below.end() && item.type == DT_DIR) {
      append(std::move(*next++), part);
      end_directory(part);
    } else if (S_ISDIR(info.st_mode)) {
      TRY(add_below(dirfd, item.name, splits, part));
      end_directory(part);
    }
  }
  return {};
}

class Sealer {
 public:
  Status read(int root) {
    parts_.emplace_back();
    TRY(add_top(root, 1));
    const bool is_parallel = cut_.size() >= kParallelFrom;
    const auto read_cut = [this, is_parallel](std::size_t i) {
      Part& part = *cut_[i];
      part.status = add_all_below(part.cut.get(), is_parallel ? kSplits : 0, part);
      part.cut.reset();
    };
    if (is_parallel) {
      cpu::for_each(cut_.size(), read_cut);
    } else {
      for (std::size_t i = 0; i < cut_.size(); ++i) {
        read_cut(i);
      }
    }
    for (const Part* part : cut_) {
      TRY(Status(part->status));
    }
    return {};
  }

  TreeSeal finish(const struct stat& root) const {
    Hasher facts;
    Hasher changes;
    std::uint64_t disk = disk_of(root);
    std::set<std::pair<dev_t, ino_t>> seen;
    for (const Part& part : parts_) {
      facts.update(part.facts);
      changes.update(part.changes);
      disk += part.disk;
      for (const Linked& linked : part.linked) {
        disk += seen.emplace(linked.device, linked.inode).second ? linked.disk : 0;
      }
    }
    Digest seal;
    std::copy_n(facts.finish().bytes.begin(), kHalf, seal.bytes.begin());
    std::copy_n(changes.finish().bytes.begin(), kHalf, seal.bytes.begin() + kHalf);
    return {.digest = seal, .disk = disk};
  }

 private:
  Status add_top(int dirfd, int depth) {
    for (const DirItem& item : TRY(read_fresh_dir(dirfd))) {
      const struct stat info = TRY(sys::lstat_at(dirfd, item.name));
      add_object(item.name, info, parts_.back());
      if (S_ISDIR(info.st_mode)) {
        TRY(add_directory(TRY(open_directory(dirfd, item.name)), depth));
        end_directory(parts_.back());
      }
    }
    return {};
  }

  Status add_directory(Fd directory, int depth) {
    if (depth < kCutDepth) {
      return add_top(directory.get(), depth + 1);
    }
    if (cut_.size() == kMostCut) {
      return add_all_below(directory.get(), 0, parts_.back());
    }
    cut_.push_back(&parts_.emplace_back());
    cut_.back()->cut = std::move(directory);
    parts_.emplace_back();
    return {};
  }

  std::deque<Part> parts_;  // in the order of a walk
  std::vector<Part*> cut_;  // those of them that are cut off
};

}  // namespace

Result<TreeSeal> seal_of_tree(const std::string& path) {
  const Fd root = TRY(sys::open(path, O_RDONLY | O_DIRECTORY));
  Sealer sealer;
  TRY(sealer.read(root.get()));
  return sealer.finish(TRY(sys::fstat(root.get())));
}

SealMatch compare_seals(const Digest& noted, const Digest& now) {
  if (noted == now) {
    return SealMatch::Same;
  }
  const bool same_facts =
      std::equal(noted.bytes.begin(), noted.bytes.begin() + kHalf, now.bytes.begin());
  return same_facts ? SealMatch::Copied : SealMatch::Changed;
}

}  // namespace mybuild::snapshotter
