// SPDX-License-Identifier: Apache-2.0
// Files as wholes: read, write, replace atomically, lock, and trees that are made and removed.
// Handles are move-only; their destructors clean up and never report. Thread-compatible.
#pragma once

#include "snapshotter/base/bytes.h"
#include "snapshotter/base/fd.h"
#include "snapshotter/base/result.h"

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

namespace mybuild {

class Cancel;

Result<std::string> read_file(const std::string& path);
/// Fails with InvalidArgument when the file is not regular or holds more than `limit` bytes.
Result<std::string> read_regular_file(int dirfd, const std::string& path, std::size_t limit);
/// A small file of the state directory, which is where anybody may have put anything: one that is
/// no regular file is refused, never waited for.
Result<std::string> read_note(const std::string& path);
/// Creates or truncates; for files nobody else reads meanwhile.
Status write_file(const std::string& path, std::string_view text, mode_t mode = 0644);
/// mkdir -p; existing directories are left as they are.
Status make_dirs(const std::string& path, mode_t mode = 0755);
/// rm -rf below `dirfd`, never following links; a missing path is success.
Status remove_tree(int dirfd, const std::string& path);
Status remove_tree(const std::string& path);

std::string join_path(std::string_view left, std::string_view right);
/// What follows the last slash.
std::string_view base_name(std::string_view path);

/// Replaces a file so that readers see the old or the new bytes, never a mixture, whatever happens.
class AtomicFile {
 public:
  static Result<AtomicFile> create(const std::string& path, mode_t mode = 0644);
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  ~AtomicFile();

  int fd() const { return fd_.get(); }
  Status write(ByteSpan bytes);
  /// The file has its name from here on. Without this call the destructor removes the draft.
  Status commit() &&;

 private:
  AtomicFile(std::string path, std::string draft, Fd fd);
  std::string path_;
  std::string draft_;  // empty while the draft has no name
  Fd fd_;
};

/// A directory of its own that is removed with everything in it.
class TempDir {
 public:
  /// Made inside `parent` (by default $TMPDIR or /tmp).
  static Result<TempDir> create(const std::string& parent = {},
                                std::string_view prefix = "mybuild-");
  TempDir(TempDir&& other) noexcept;
  TempDir& operator=(TempDir&& other) noexcept;
  ~TempDir();
  const std::string& path() const { return path_; }

 private:
  explicit TempDir(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

/// A file in `directory` that has no name, open for reading and writing: it goes with its last
/// descriptor.
Result<Fd> nameless_file(const std::string& directory, mode_t mode = 0600);

/// flock(2) on a file that is made if needed; released with the object or the process.
class FileLock {
 public:
  enum class Mode { Shared, Exclusive };
  static Result<FileLock> acquire(const std::string& path, Mode mode);
  /// The same, given up as soon as the stop is asked for: its reason is the error then. The wait is
  /// the kernel's, on a thread of its own, so it costs nothing and ends with the holder, however
  /// that dies; who of several gets the lock next is not said.
  static Result<FileLock> acquire(const std::string& path, Mode mode, const Cancel& cancel);
  /// nullopt when somebody else holds it.
  static Result<std::optional<FileLock>> try_acquire(const std::string& path, Mode mode);

 private:
  explicit FileLock(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

class FileSink final : public Sink {
 public:
  explicit FileSink(int fd) : fd_(fd) {}
  Status write(ByteSpan bytes) override;

 private:
  int fd_;
};

class FileSource final : public Source {
 public:
  explicit FileSource(Fd fd) : fd_(std::move(fd)) {}
  Result<std::size_t> read(MutableByteSpan buffer) override;

 private:
  Fd fd_;
};

}  // namespace mybuild
