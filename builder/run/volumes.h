// SPDX-License-Identifier: Apache-2.0
// VolumeStore: directories that outlive the containers that use them. <dir>/<name>/data is what a
// container sees, <dir>/<name>/volume.json what is known of it. An empty volume is filled with what
// an image has at the place where it is mounted, once. Thread-safe, safe between processes and
// after kill -9 at any moment.
#pragma once

#include "snapshotter/base/clock.h"
#include "snapshotter/base/result.h"
#include "snapshotter/tree_view.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace mybuild::run {

struct VolumeInfo {
  std::string name;
  std::string path;  // of its data
  Time created{};
  bool anonymous = false;
  std::map<std::string, std::string> labels;
};

/// The ids of the containers that use a volume.
using VolumeUsers = std::function<Result<std::vector<std::string>>(const std::string& volume)>;

class VolumeStore {
 public:
  virtual ~VolumeStore() = default;

  /// Where the data of a volume is, whether or not it exists.
  virtual std::string data_path(const std::string& name) const = 0;
  /// Makes the volume `wanted.name` unless it is there; gives what is there.
  virtual Result<VolumeInfo> ensure(const VolumeInfo& wanted) = 0;
  /// Nothing is in it, or filling it was cut short.
  virtual Result<bool> wants_contents(const std::string& name) = 0;
  /// Copies the directory `target` of an image into an empty volume, owner and mode included.
  virtual Status fill(const std::string& name, const snapshotter::TreeView& image,
                      const std::string& target) = 0;
  virtual Result<std::vector<VolumeInfo>> list() = 0;  // by name
  virtual Result<VolumeInfo> find(const std::string& name) = 0;
  /// Denied when it has users. `users` is asked while no container can begin to use it.
  virtual Status remove(const std::string& name, const VolumeUsers& users) = 0;
};

/// `trash_dir`: where trees go that are to be removed, on the same file system; the layer store
/// empties it.
std::unique_ptr<VolumeStore> make_volume_store(std::string dir, std::string trash_dir,
                                               const Clock& clock);

}  // namespace mybuild::run
