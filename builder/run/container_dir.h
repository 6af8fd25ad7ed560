// SPDX-License-Identifier: Apache-2.0
// ContainerDir: the directory of one running container, <containers>/<id>. While its process lives
// it holds a lock in it; a directory whose lock is free was left by a killed process and is removed
// by whoever starts next. Thread-safe between processes; the object is thread-compatible and
// move-only.
#pragma once

#include "builder/run/container.h"
#include "snapshotter/base/file.h"

#include <string>
#include <vector>

namespace mybuild::run {

/// 64 random hex digits.
Result<std::string> new_container_id();

class ContainerDir {
 public:
  /// Sweeps what dead processes left, then makes the directory. AlreadyExists when a running
  /// container has the name.
  static Result<ContainerDir> create(const std::string& containers_dir,
                                     const RunningContainer& container);
  ContainerDir(ContainerDir&& other) noexcept;
  ContainerDir& operator=(ContainerDir&&) = delete;
  ~ContainerDir();

  const std::string& path() const { return path_; }

  /// What a killed process left.
  struct Dead {
    std::string path;
    FileLock lock;  // ours now, so that nobody else removes it too
  };

 private:
  static Result<ContainerDir> make_locked(const std::string& containers_dir,
                                          const RunningContainer& container,
                                          std::vector<Dead>& dead);
  ContainerDir(std::string path, FileLock lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  std::string path_;
  FileLock lock_;
};

}  // namespace mybuild::run
