// SPDX-License-Identifier: Apache-2.0
// ContentMemory: how a view of a directory comes to know what is in its files: by reading them, one
// whole state of each, or out of a StatIndex. A value that refers to the index. Thread-safe.
#pragma once

#include "snapshotter/archive/entry.h"
#include "snapshotter/stat_index.h"

#include <sys/stat.h>

#include <optional>
#include <string>

namespace mybuild::snapshotter {

/// The digest of an open file's bytes, from where it stands to its end; `size` is a guess.
Result<Digest> hash_file(int fd, std::uint64_t size);

class ContentMemory {
 public:
  /// Reads and remembers nothing.
  ContentMemory() = default;
  /// With `reread` everything is read once more, and what is remembered is replaced.
  explicit ContentMemory(StatIndex& index, bool reread = false) : index_(&index), reread_(reread) {}

  /// What is known of a regular file.
  std::optional<FileFacts> recall(const struct stat& info) const;
  /// Reads an open file, from offset 0 to its end, as an entry called `path` with its content;
  /// nullopt when it changed meanwhile.
  Result<std::optional<Entry>> read(int fd, const std::string& path) const;
  /// The same for who reads the file for other ends as well: its state when reading begins, and
  /// what it was if it is in that state still.
  struct Reading {
    struct stat before {};
    struct timespec started {};
  };
  Result<Reading> begin(int fd) const;
  Result<std::optional<Entry>> end(int fd, const Reading& reading, const std::string& path,
                                   const Digest& content) const;
  /// It had other bytes than those that were recalled.
  void forget(const struct stat& info) const;

 private:
  StatIndex* index_ = nullptr;
  bool reread_ = false;
};

}  // namespace mybuild::snapshotter
