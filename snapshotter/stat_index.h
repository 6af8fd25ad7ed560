// SPDX-License-Identifier: Apache-2.0
// StatIndex: what files held when they were last read, found again by what stat(2) says of them, so
// that a build context is not read again while nothing in it changed. One file in the state
// directory; a cache: lost, damaged, of another version or of another boot it is made anew.
//
// Rules that keep it from being wrong
// - All of device, inode, size, mtime, ctime and mode must be equal. Nobody can set a ctime.
// - An entry is only made of a file that had settled when its reading began (is_settled): a later
//   write then gets a ctime that differs. Others are read again next time.
// - Only of file systems of this kernel, which gives a ctime to each write (tells_changes): with
//   servers and user space programs behind it a ctime is hearsay.
// - Entries do not outlive a boot: after a crash a file may have new bytes under old times, and
//   device numbers are given anew.
// - A process replaces the file as a whole by rename and merges what others wrote since. Every
//   entry has a check sum, looked at when it is used, so loading costs a mapping only.
//
// What stat cannot show, and so is missed: writes through a shared mapping whose page is
// dirty already (until the kernel writes it back), and a clock that is set back to the very
// nanosecond. `mybuild build --context-verify=full` reads everything.
//
// Size: entries that no build saw during kForgetAfter saves go, and the oldest of more than
// kMaxEntries. Thread-safe.
#pragma once

#include "snapshotter/base/digest.h"
#include "snapshotter/base/result.h"

#include <sys/stat.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace mybuild::snapshotter {

/// What is remembered of a file.
struct FileFacts {
  Digest content;
  bool bare = false;  // no attributes that a layer carries (entry.h, carried_xattr)

  bool operator==(const FileFacts&) const = default;
};

/// The kernel's clock as it stamps files (its value at the last tick).
struct timespec file_clock();
/// Whether any write from `now` (file_clock) on gives the file another ctime: its times lie before
/// now by more than a tick and the grain of its file system, as far as the digits show one. Times
/// in the future mean that the clock was set back; such a file never settles.
bool is_settled(const struct stat& info, struct timespec now);
/// Whether the file system of `fd` gives each write a ctime of this kernel's clock.
bool tells_changes(int fd);

class StatIndex {
 public:
  static constexpr std::uint32_t kForgetAfter = 64;        // saves
  static constexpr std::size_t kMaxEntries = 1024 * 1024;  // of 96 bytes each

  /// Nothing is opened before it is needed. `boot`: this boot's id, read from the kernel if empty.
  explicit StatIndex(std::string path, std::string boot = {}, std::size_t limit = kMaxEntries);
  ~StatIndex();
  StatIndex(const StatIndex&) = delete;
  StatIndex& operator=(const StatIndex&) = delete;

  std::optional<FileFacts> find(const struct stat& info);
  /// The caller vouches for the rules above.
  void remember(const struct stat& info, const FileFacts& facts);
  /// What was known of the file was wrong.
  void forget(const struct stat& info);
  /// Writes what was learnt since the last save, if anything. While another process saves, that one
  /// wins: what is lost will be learnt again.
  Status save();

 private:
  class Table;
  class Learnt;

  Table& table();

  const std::string path_;
  std::string boot_;
  const std::size_t limit_;
  std::once_flag loaded_;
  std::unique_ptr<Table> table_;     // as it was when this process began to use it
  std::atomic<bool> dirty_ = false;  // a save is worth it
  std::atomic<bool> has_learnt_ = false;
  std::mutex mutex_;
  std::unique_ptr<Learnt> learnt_;  // since then
};

}  // namespace mybuild::snapshotter
