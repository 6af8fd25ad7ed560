// SPDX-License-Identifier: Apache-2.0
// ContainerStore: the containers of a state directory, running or not. A container is made by
// create() and run by whoever owns it: its OwnedContainer holds the run lock, so there is one at a
// time, of all processes. What a killed owner left is settled by whoever looks next: a container of
// --rm or one that was not yet complete goes, any other is stopped and keeps its files.
// Thread-safe, and safe between processes.
#pragma once

#include "builder/run/container_record.h"
#include "builder/run/run_lock.h"
#include "builder/run/volumes.h"
#include "snapshotter/base/clock.h"
#include "snapshotter/base/result.h"

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace mybuild::run {

/// The container that this process runs. Until the first begin() it is not complete, and goes with
/// the object. Thread-compatible.
class OwnedContainer {
 public:
  virtual ~OwnedContainer() = default;
  virtual const ContainerRecord& record() const = 0;
  /// Its directory; the writable layer belongs into "fs".
  virtual const std::string& path() const = 0;
  /// Signal numbers for the program, as bytes. The sandbox keeps it open too.
  virtual int signals() const = 0;
  /// From here on it is kept, whatever happens to us.
  virtual Status begin() = 0;
  /// What became of it. Removes the container, its files and anonymous volumes if it is one of
  /// --rm.
  virtual Status end(ContainerState state) = 0;
};

struct RemoveOptions {
  bool force = false;    // a running one is killed
  bool volumes = false;  // its anonymous volumes go too
};

class ContainerStore {
 public:
  virtual ~ContainerStore() = default;

  /// Gives `record`, which has a fresh id, a creation time and, if it has none, a name.
  /// AlreadyExists when the name is taken.
  virtual Result<std::unique_ptr<OwnedContainer>> create(ContainerRecord record) = 0;
  /// A stopped container, to run it again. Denied when it runs.
  virtual Result<std::unique_ptr<OwnedContainer>> take(const std::string& name_or_id) = 0;

  /// All of them, newest first.
  virtual Result<std::vector<Container>> list() = 0;
  /// The layers of each of them, lowest first. Fails when a record is there and cannot be read:
  /// what it needs must not be taken for unused. One that says nothing needs nothing.
  virtual Result<std::vector<std::vector<Digest>>> layers_in_use() = 0;
  /// By name, id or an id's first digits.
  virtual Result<Container> find(const std::string& name_or_id) = 0;
  virtual Status remove(const std::string& name_or_id, RemoveOptions options) = 0;
  /// Denied when it does not run.
  virtual Status signal(const std::string& name_or_id, int signal) = 0;
  /// Sends `signal`, after `grace` SIGKILL (negative: never), and waits for the end. One that does
  /// not run is success.
  virtual Status stop(const std::string& name_or_id, int signal, std::chrono::seconds grace) = 0;
  /// Bytes that a container has written: its writable layer, in the driver's form.
  virtual Result<std::uint64_t> written_bytes(const std::string& id) = 0;
  /// Its directory; the writable layer is in "fs".
  virtual std::string path(const std::string& id) const = 0;
  /// The program's process as we see it; 0 when it does not run, or is out of our sight.
  virtual pid_t program(const std::string& id) = 0;
  /// The ids of the containers that use a volume, running or not.
  virtual Result<std::vector<std::string>> users_of(const std::string& volume) = 0;
};

struct ContainerStoreOptions {
  std::string dir;        // <root>/containers
  std::string trash_dir;  // on the same file system; the layer store empties it
};
std::unique_ptr<ContainerStore> make_container_store(ContainerStoreOptions options,
                                                     VolumeStore& volumes, const Clock& clock);

}  // namespace mybuild::run
