// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/stat_index.h"

#include "snapshotter/base/file.h"
#include "snapshotter/stat_table.h"

#include <sys/vfs.h>

#include <algorithm>
#include <array>

namespace mybuild::snapshotter {

namespace {

/// Entries in use are noted as such at the latest when this many saves went by.
constexpr std::uint32_t kNoteAfter = StatIndex::kForgetAfter / 4;
constexpr std::int64_t kSecond = 1'000'000'000;
/// The longest tick that Linux is built with (100 Hz).
constexpr std::int64_t kTick = 10'000'000;

/// Time stamps that are cut off to a grain end in zeros: "…120000000" may stand for 10 ms. A time
/// with fine digits by chance looks coarser than it is, which costs a second reading.
std::int64_t grain_of(std::int64_t nanoseconds) {
  if (nanoseconds == 0) {
    return 2 * kSecond;
  }
  std::int64_t grain = 1;
  while (nanoseconds % (grain * 10) == 0) {
    grain *= 10;
  }
  return grain;
}

bool lies_before(const struct timespec& time, const struct timespec& now) {
  const std::int64_t seconds = now.tv_sec - time.tv_sec;
  if (seconds > 4 || seconds < 0) {
    return seconds > 0;
  }
  return seconds * kSecond + now.tv_nsec - time.tv_nsec > kTick + grain_of(time.tv_nsec);
}

}  // namespace

struct timespec file_clock() {
  struct timespec now {};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return now;
}

bool is_settled(const struct stat& info, struct timespec now) {
  return lies_before(info.st_mtim, now) && lies_before(info.st_ctim, now);
}

bool tells_changes(int fd) {
  // ext2 to ext4, xfs, btrfs, f2fs, bcachefs, zfs, tmpfs, overlayfs. Not FAT, whose ctime is the
  // mtime, and nothing that is served from elsewhere: NFS, SMB, 9p, FUSE.
  constexpr std::array<std::uint32_t, 8> kTypes = {0xef53,     0x58465342, 0x9123683e, 0xf2f52010,
                                                   0xca451a4e, 0x2fc12fc1, 0x01021994, 0x794c7630};
  struct statfs info {};
  return ::fstatfs(fd, &info) == 0 &&
         std::find(kTypes.begin(), kTypes.end(), static_cast<std::uint32_t>(info.f_type)) !=
             kTypes.end();
}

std::size_t StatIndex::FileIdHash::operator()(const FileId& id) const {
  return hash_file_id(id.device, id.inode);
}

StatIndex::StatIndex(std::string path, std::string boot, std::size_t limit)
    : path_(std::move(path)), boot_(std::move(boot)), limit_(limit) {}
StatIndex::~StatIndex() = default;

StatIndex::Table& StatIndex::table() {
  std::call_once(loaded_, [this] {
    if (boot_.empty()) {
      boot_ = read_file("/proc/sys/kernel/random/boot_id").value_or("");
    }
    table_ = Table::load(path_, boot_);
  });
  return *table_;
}

std::optional<FileFacts> StatIndex::find(const struct stat& info) {
  const Table& table = this->table();
  const StatSlot wanted = make_slot(info);
  if (has_learnt_) {
    const std::lock_guard lock(mutex_);
    if (const auto found = learnt_.find({wanted.device, wanted.inode}); found != learnt_.end()) {
      const Learnt& learnt = found->second;
      return same_stamp(make_slot(learnt.info), wanted) ? learnt.facts : std::nullopt;
    }
  }
  const StatSlot* slot = table.find(wanted.device, wanted.inode);
  if (slot == nullptr || !same_stamp(*slot, wanted)) {
    return std::nullopt;
  }
  table.mark_seen(*slot);
  if (table.generation() - slot->seen > kNoteAfter) {
    dirty_ = true;
  }
  return FileFacts{.content = Digest{slot->content}, .bare = slot->bare != 0};
}

void StatIndex::learn(const struct stat& info, std::optional<FileFacts> facts) {
  (void)table();
  const std::lock_guard lock(mutex_);
  learnt_.insert_or_assign(FileId{info.st_dev, info.st_ino}, Learnt{.info = info, .facts = facts});
  has_learnt_ = true;
  dirty_ = true;
}

void StatIndex::remember(const struct stat& info, const FileFacts& facts) {
  learn(info, facts);
}

void StatIndex::forget(const struct stat& info) {
  learn(info, std::nullopt);
}

Status StatIndex::save() {
  if (!dirty_.exchange(false)) {
    return {};
  }
  const Table& own = table();
  if (boot_.empty()) {
    return {};  // no telling whether the next reader is of this boot
  }
  const std::optional<FileLock> lock =
      TRY(FileLock::try_acquire(path_ + ".lock", FileLock::Mode::Exclusive));
  if (!lock) {
    dirty_ = true;
    return {};
  }
  const std::unique_ptr<Table> others = Table::load(path_, boot_);  // may be newer than ours
  const std::uint32_t generation = std::max(own.generation(), others->generation()) + 1;
  std::vector<StatSlot> slots = others->slots();
  {
    const std::lock_guard guard(mutex_);
    std::erase_if(slots, [&](StatSlot& slot) {
      const StatSlot* mine = own.find(slot.device, slot.inode);
      if (mine != nullptr && same_stamp(*mine, slot) && own.was_seen(*mine)) {
        slot.seen = generation;
      }
      return generation - slot.seen > kForgetAfter || learnt_.contains({slot.device, slot.inode});
    });
    for (const auto& [id, learnt] : learnt_) {
      if (learnt.facts) {
        StatSlot& slot = slots.emplace_back(make_slot(learnt.info));
        slot.content = learnt.facts->content.bytes;
        slot.bare = learnt.facts->bare ? 1 : 0;
        slot.seen = generation;
      }
    }
  }
  if (slots.size() > limit_) {
    const auto end = slots.begin() + static_cast<std::ptrdiff_t>(limit_);
    std::nth_element(slots.begin(), end, slots.end(),
                     [](const StatSlot& a, const StatSlot& b) { return a.seen > b.seen; });
    slots.erase(end, slots.end());
  }
  return Table::write(path_, boot_, generation, slots);
}

}  // namespace mybuild::snapshotter
