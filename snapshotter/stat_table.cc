// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/stat_table.h"

#include "snapshotter/base/sys.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

namespace mybuild::snapshotter {

namespace {

constexpr std::string_view kMagic = "mybuild.stat.v2\n";
constexpr std::uint64_t kByteOrder = 0x0102030405060708;
/// Longer runs of taken slots are given up on, so that a damaged table costs nothing.
constexpr std::size_t kMaxProbes = 128;
constexpr std::size_t kMinHomes = 16;

struct Header {
  std::array<char, 16> magic{};
  std::uint64_t byte_order = kByteOrder;
  std::array<char, 48> boot{};
  std::uint64_t slots = 0;
  std::uint32_t homes = 0;  // some of the slots follow the last home
  std::uint32_t generation = 0;
  std::uint64_t check = 0;
};
static_assert(sizeof(Header) == 96);

std::uint64_t mix(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * 0x9e3779b97f4a7c15U;
  return hash ^ (hash >> 29U);
}

/// Over all but the last word, which holds it. Never 0.
template <class T>
std::uint64_t check_of(const T& record) {
  std::array<std::uint64_t, sizeof(T) / sizeof(std::uint64_t)> words{};
  std::memcpy(words.data(), &record, sizeof(T));
  std::uint64_t hash = 0x6d796275696c64;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    hash = mix(hash, words[i]);
  }
  return mix(hash, sizeof(T)) | 1U;
}

std::uint64_t nanoseconds(const struct timespec& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(time.tv_nsec);
}

std::size_t home_of(std::uint64_t hash, std::uint32_t homes) {
  return ((hash >> 32U) * homes) >> 32U;
}

Header make_header(const std::string& boot, std::uint64_t slots, std::uint32_t homes,
                   std::uint32_t generation) {
  Header header;
  std::copy(kMagic.begin(), kMagic.end(), header.magic.begin());
  std::copy_n(boot.begin(), std::min(boot.size(), header.boot.size()), header.boot.begin());
  header.slots = slots;
  header.homes = homes;
  header.generation = generation;
  header.check = check_of(header);
  return header;
}

/// Where a slot goes in the table.
struct Placed {
  std::size_t place = 0;
  const StatSlot* slot = nullptr;
};

/// By place. One that would come too far from its home is left out.
std::vector<Placed> place_slots(std::span<const StatSlot> slots, std::uint32_t homes) {
  std::vector<Placed> wanted;
  wanted.reserve(slots.size());
  for (const StatSlot& slot : slots) {
    const std::uint64_t hash = hash_file_id(slot.device, slot.inode);
    wanted.push_back({.place = home_of(hash, homes), .slot = &slot});
  }
  std::sort(wanted.begin(), wanted.end(),
            [](const Placed& a, const Placed& b) { return a.place < b.place; });
  std::vector<Placed> placed;
  placed.reserve(slots.size());
  for (std::size_t next = 0; const Placed& want : wanted) {
    next = std::max(next, want.place);
    if (next - want.place < kMaxProbes) {
      placed.push_back({.place = next++, .slot = want.slot});
    }
  }
  return placed;
}

Status write_draft(const std::string& path, const Header& header, std::span<const Placed> table) {
  constexpr std::size_t kAtOnce = 1024;
  const Fd fd = TRY(sys::open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600));
  TRY(sys::write_all(fd.get(), std::as_bytes(std::span(&header, 1))));
  auto next = table.begin();
  std::vector<StatSlot> part;
  for (std::size_t begin = 0; begin < header.slots; begin += kAtOnce) {
    part.assign(std::min(kAtOnce, header.slots - begin), StatSlot{});
    for (; next != table.end() && next->place < begin + part.size(); ++next) {
      StatSlot& slot = part[next->place - begin];
      slot = *next->slot;
      slot.check = check_of(slot);
    }
    TRY(sys::write_all(fd.get(), std::as_bytes(std::span(part))));
  }
  return {};
}

}  // namespace

StatSlot make_slot(const struct stat& info) {
  StatSlot slot;
  slot.device = info.st_dev;
  slot.inode = info.st_ino;
  slot.size = static_cast<std::uint64_t>(info.st_size);
  slot.mtime = nanoseconds(info.st_mtim);
  slot.ctime = nanoseconds(info.st_ctim);
  slot.mode = info.st_mode;
  return slot;
}

bool same_stamp(const StatSlot& a, const StatSlot& b) {
  return a.device == b.device && a.inode == b.inode && a.size == b.size && a.mtime == b.mtime &&
         a.ctime == b.ctime && a.mode == b.mode;
}

std::uint64_t hash_file_id(std::uint64_t device, std::uint64_t inode) {
  return mix(mix(0, device), inode);
}

StatIndex::Table::~Table() {
  if (bytes_ != nullptr) {
    ::munmap(const_cast<std::byte*>(bytes_), size_);
  }
}

std::unique_ptr<StatIndex::Table> StatIndex::Table::load(const std::string& path,
                                                         const std::string& boot) {
  auto table = std::make_unique<Table>();
  const Result<Fd> fd = sys::open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (!fd || boot.empty()) {
    return table;
  }
  const Result<struct stat> info = sys::fstat(fd->get());
  const auto size = info ? static_cast<std::size_t>(info->st_size) : 0;
  if (!info || !S_ISREG(info->st_mode) || size < sizeof(Header)) {
    return table;
  }
  // Nobody shortens it: who replaces it makes a new file.
  void* bytes = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd->get(), 0);
  if (bytes == MAP_FAILED) {
    return table;
  }
  table->bytes_ = static_cast<const std::byte*>(bytes);
  table->size_ = size;
  Header header;
  std::memcpy(&header, bytes, sizeof header);
  const Header expected = make_header(boot, header.slots, header.homes, header.generation);
  if (std::memcmp(&header, &expected, sizeof header) != 0 ||
      header.slots > size / sizeof(StatSlot) ||
      size != sizeof(Header) + header.slots * sizeof(StatSlot)) {
    return table;
  }
  table->generation_ = header.generation;
  table->homes_ = header.homes;
  table->slots_ = {reinterpret_cast<const StatSlot*>(table->bytes_ + sizeof header), header.slots};
  table->seen_ = std::vector<std::atomic<std::uint8_t>>(header.slots);
  return table;
}

const StatSlot* StatIndex::Table::find(std::uint64_t device, std::uint64_t inode) const {
  const std::size_t home = home_of(hash_file_id(device, inode), homes_);
  for (std::size_t at = home; at < std::min(home + kMaxProbes, slots_.size()); ++at) {
    const StatSlot& slot = slots_[at];
    if (slot.check == 0) {
      return nullptr;
    }
    if (slot.device == device && slot.inode == inode) {
      return slot.check == check_of(slot) ? &slot : nullptr;
    }
  }
  return nullptr;
}

std::size_t StatIndex::Table::place_of(const StatSlot& slot) const {
  return static_cast<std::size_t>(&slot - slots_.data());
}

void StatIndex::Table::mark_seen(const StatSlot& slot) const {
  seen_[place_of(slot)].store(1, std::memory_order_relaxed);
}

bool StatIndex::Table::was_seen(const StatSlot& slot) const {
  return seen_[place_of(slot)].load(std::memory_order_relaxed) != 0;
}

std::vector<StatSlot> StatIndex::Table::slots(std::size_t more) const {
  std::vector<StatSlot> whole;
  whole.reserve(slots_.size() + more);
  for (const StatSlot& slot : slots_) {
    if (slot.check != 0 && slot.check == check_of(slot)) {
      whole.push_back(slot);
    }
  }
  return whole;
}

Status StatIndex::Table::write(const std::string& path, const std::string& boot,
                               std::uint32_t generation, std::span<const StatSlot> slots) {
  const auto homes = static_cast<std::uint32_t>(std::max(kMinHomes, slots.size() * 3 / 2));
  const std::vector<Placed> table = place_slots(slots, homes);
  const std::size_t count = table.empty() ? 0 : table.back().place + 1;
  const Header header = make_header(boot, count, homes, generation);
  // A name of its own, which the caller's lock guards: what a killed process left is written over.
  const std::string draft = path + ".draft";
  const Status written = write_draft(draft, header, table);
  if (!written) {
    (void)sys::unlink_at(AT_FDCWD, draft);  // what fills the disk up would stay
    return written;
  }
  return sys::rename_at(AT_FDCWD, draft, AT_FDCWD, path);
}

}  // namespace mybuild::snapshotter
