// SPDX-License-Identifier: Apache-2.0
// The file of a StatIndex: a header and a hash table of fixed slots in this machine's byte order,
// mapped read-only. A slot is at its home (`hash_file_id`) or follows it, with no empty place
// between; they are sorted by home, so that the file is written from front to back without a second
// copy of it in memory. Inside snapshotter. Thread-safe: a table never changes.
#pragma once

#include "snapshotter/base/result.h"
#include "snapshotter/stat_index.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace mybuild::snapshotter {

struct StatSlot {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::uint64_t mtime = 0;  // nanoseconds, modulo 2^64
  std::uint64_t ctime = 0;
  std::uint32_t mode = 0;
  std::uint32_t bare = 0;
  std::array<std::byte, 32> content{};
  std::uint32_t seen = 0;  // the save that last found it in use
  std::uint32_t unused = 0;
  std::uint64_t check = 0;  // of all above; 0 only in an empty slot
};
static_assert(sizeof(StatSlot) == 96);

/// The slot of a file, without its check sum.
StatSlot make_slot(const struct stat& info);
bool same_stamp(const StatSlot& a, const StatSlot& b);
std::uint64_t hash_file_id(std::uint64_t device, std::uint64_t inode);

class StatIndex::Table {
 public:
  /// An empty table if the file is missing or not to be trusted.
  static std::unique_ptr<Table> load(const std::string& path, const std::string& boot);
  /// Replaces the file. `slots` have one entry per file; their order does not matter.
  static Status write(const std::string& path, const std::string& boot, std::uint32_t generation,
                      std::span<const StatSlot> slots);
  Table() = default;
  ~Table();
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  std::uint32_t generation() const { return generation_; }
  /// The whole slot of that file, or null. Its place in the table marks it as seen.
  const StatSlot* find(std::uint64_t device, std::uint64_t inode) const;
  void mark_seen(const StatSlot& slot) const;
  bool was_seen(const StatSlot& slot) const;
  /// All slots that are whole, with room for `more`.
  std::vector<StatSlot> slots(std::size_t more) const;

 private:
  std::size_t place_of(const StatSlot& slot) const;

  const std::byte* bytes_ = nullptr;
  std::size_t size_ = 0;
  std::uint32_t homes_ = 0;
  std::span<const StatSlot> slots_;
  std::uint32_t generation_ = 0;
  mutable std::vector<std::atomic<std::uint8_t>> seen_;
};

}  // namespace mybuild::snapshotter
