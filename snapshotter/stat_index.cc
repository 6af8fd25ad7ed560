// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/stat_index.h"

#include "snapshotter/base/file.h"
#include "snapshotter/stat_table.h"

#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <unordered_set>

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

FileFacts facts_of(const StatSlot& slot) {
  return {.content = Digest{slot.content}, .bare = slot.bare != 0};
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

class StatIndex::Learnt {
 public:
  /// nullopt: nothing was learnt of the file; null: what was known of it is wrong.
  std::optional<const StatSlot*> find(const StatSlot& file) const {
    if (forgotten_.contains(file)) {
      return nullptr;
    }
    const auto found = known_.find(file);
    return found == known_.end() ? std::nullopt : std::optional(&*found);
  }
  void remember(const StatSlot& slot) {
    forgotten_.erase(slot);
    known_.erase(slot);
    known_.insert(slot);
  }
  void forget(const StatSlot& file) {
    known_.erase(file);
    forgotten_.insert(file);
  }
  std::size_t size() const { return known_.size(); }
  void append_to(std::vector<StatSlot>& slots, std::uint32_t generation) const {
    for (const StatSlot& slot : known_) {
      slots.push_back(slot);
      slots.back().seen = generation;
    }
  }

 private:
  struct HashFile {
    std::size_t operator()(const StatSlot& slot) const noexcept {
      return hash_file_id(slot.device, slot.inode);
    }
  };
  struct SameFile {
    bool operator()(const StatSlot& a, const StatSlot& b) const {
      return a.device == b.device && a.inode == b.inode;
    }
  };
  using Files = std::unordered_set<StatSlot, HashFile, SameFile>;
  Files known_;
  Files forgotten_;
};

StatIndex::StatIndex(std::string path, std::string boot, std::size_t limit)
    : path_(std::move(path)),
      boot_(std::move(boot)),
      limit_(limit),
      learnt_(std::make_unique<Learnt>()) {}
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
    if (const std::optional<const StatSlot*> learnt = learnt_->find(wanted)) {
      const StatSlot* slot = *learnt;
      return slot != nullptr && same_stamp(*slot, wanted) ? std::optional(facts_of(*slot))
                                                          : std::nullopt;
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
  return facts_of(*slot);
}

void StatIndex::remember(const struct stat& info, const FileFacts& facts) {
  StatSlot slot = make_slot(info);
  slot.content = facts.content.bytes;
  slot.bare = facts.bare ? 1 : 0;
  (void)table();
  const std::lock_guard lock(mutex_);
  learnt_->remember(slot);
  has_learnt_ = dirty_ = true;
}

void StatIndex::forget(const struct stat& info) {
  (void)table();
  const std::lock_guard lock(mutex_);
  learnt_->forget(make_slot(info));
  has_learnt_ = dirty_ = true;
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
  std::vector<StatSlot> slots;
  {
    const std::lock_guard guard(mutex_);
    slots = others->slots(learnt_->size());
    std::erase_if(slots, [&](StatSlot& slot) {
      const StatSlot* mine = own.find(slot.device, slot.inode);
      if (mine != nullptr && same_stamp(*mine, slot) && own.was_seen(*mine)) {
        slot.seen = generation;
      }
      return generation - slot.seen > kForgetAfter || learnt_->find(slot);
    });
    learnt_->append_to(slots, generation);
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
