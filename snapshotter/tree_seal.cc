// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/tree_seal.h"

#include "snapshotter/base/sys.h"
#include "snapshotter/tree_entry.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <utility>

namespace mybuild::snapshotter {

namespace {

constexpr std::size_t kHalf = 16;

class Sealer {
 public:
  Status add_children(int dirfd) {
    for (const DirItem& item : TRY(read_dir(dirfd))) {
      const struct stat info = TRY(sys::lstat_at(dirfd, item.name));
      add(item.name, info);
      count(info);
      if (S_ISDIR(info.st_mode)) {
        const Fd child = TRY(sys::open_at(dirfd, item.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
        TRY(add_children(child.get()));
        facts_.update(std::string_view("\0/", 2));
      }
    }
    return {};
  }

  TreeSeal finish() {
    Digest seal;
    const Digest facts = facts_.finish();
    const Digest changes = changes_.finish();
    std::copy_n(facts.bytes.begin(), kHalf, seal.bytes.begin());
    std::copy_n(changes.bytes.begin(), kHalf, seal.bytes.begin() + kHalf);
    return {.digest = seal, .disk = disk_};
  }

  void count(const struct stat& info) {
    constexpr std::uint64_t kBlock = 512;  // stat(2): whatever the file system's own is
    const bool is_first = S_ISDIR(info.st_mode) || info.st_nlink == 1 || info.st_blocks == 0 ||
                          linked_.emplace(info.st_dev, info.st_ino).second;
    disk_ += is_first ? static_cast<std::uint64_t>(info.st_blocks) * kBlock : 0;
  }

 private:
  void add(const std::string& name, const struct stat& info) {
    // A directory's size is the file system's affair.
    const auto size = S_ISDIR(info.st_mode) ? 0 : static_cast<std::uint64_t>(info.st_size);
    const std::array<std::uint64_t, 7> facts = {info.st_mode,
                                                info.st_uid,
                                                info.st_gid,
                                                size,
                                                static_cast<std::uint64_t>(info.st_mtim.tv_sec),
                                                static_cast<std::uint64_t>(info.st_mtim.tv_nsec),
                                                info.st_rdev};
    facts_.update(std::string_view(name.c_str(), name.size() + 1));
    facts_.update(ByteSpan(reinterpret_cast<const std::byte*>(facts.data()), sizeof facts));
    const std::array<std::int64_t, 2> change = {info.st_ctim.tv_sec, info.st_ctim.tv_nsec};
    changes_.update(ByteSpan(reinterpret_cast<const std::byte*>(change.data()), sizeof change));
  }

  std::uint64_t disk_ = 0;
  std::set<std::pair<dev_t, ino_t>> linked_;
  Hasher facts_;
  Hasher changes_;
};

}  // namespace

Result<TreeSeal> seal_of_tree(const std::string& path) {
  const Fd root = TRY(sys::open(path, O_RDONLY | O_DIRECTORY));
  Sealer sealer;
  sealer.count(TRY(sys::fstat(root.get())));
  TRY(sealer.add_children(root.get()));
  return sealer.finish();
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
