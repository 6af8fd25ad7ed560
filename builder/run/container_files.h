// SPDX-License-Identifier: Apache-2.0
// Where a container's files are, and the single steps on them (README.md, "Layout"). Whether a step
// is allowed is the store's to know. Value type, thread-safe.
#pragma once

#include "builder/run/container_record.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/result.h"
#include "snapshotter/gc_lock.h"

#include <optional>
#include <string>
#include <vector>

namespace mybuild::run {

class ContainerFiles {
 public:
  ContainerFiles(std::string dir, std::string trash_dir)
      : dir_(std::move(dir)), trash_dir_(std::move(trash_dir)) {}

  Status make_directories() const;
  /// Held while containers are made, named, judged dead or taken.
  Result<FileLock> lock_gate() const;
  /// Held while a record is made, which keeps layers.
  Result<snapshotter::GcLock> lock_root() const;
  std::string state_directory() const { return dir_.substr(0, dir_.rfind('/')); }

  std::string path(const std::string& id) const { return join_path(dir_, id); }
  std::string lock_path(const std::string& id) const;
  bool exists(const std::string& id) const;
  /// Held by the process that runs the container, and unlike the run lock by no other: when it is
  /// free and the run lock is not, the container is dying.
  Result<FileLock> lock_owner(const std::string& id) const;
  bool has_owner(const std::string& id) const;
  /// Ids in no order; of those whose run lock is there, and of all.
  Result<std::vector<std::string>> marked_running() const;
  Result<std::vector<std::string>> all() const;

  Result<ContainerRecord> read_record(const std::string& id) const;
  /// Durable for a container that is to be kept: it is the one thing in the state directory that
  /// cannot be built or pulled again.
  Status write_record(const ContainerRecord& record) const;
  /// nullopt before the first start, and when it is being removed: the container is not complete.
  Result<std::optional<ContainerState>> read_state(const std::string& id) const;
  Status write_state(const std::string& id, const ContainerState& state) const;
  /// Takes the room that write_end() needs, so that a program that fills the disk cannot make us
  /// forget how it ended.
  Status reserve_end(const std::string& id) const;
  /// As write_state(), into the room that was reserved; a long error text is cut to fit.
  Status write_end(const std::string& id, const ContainerState& state) const;

  Status drop_state(const std::string& id) const;

  /// The id behind a name; a name whose container is gone is free.
  std::optional<std::string> owner_of(const std::string& name) const;
  Status take_name(const std::string& name, const std::string& id) const;

  /// The container is gone when this returns; the answer is the tree that is left to remove.
  Result<std::string> move_away(const std::string& id) const;

 private:
  std::string name_path(const std::string& name) const;

  std::string dir_;
  std::string trash_dir_;
};

}  // namespace mybuild::run
