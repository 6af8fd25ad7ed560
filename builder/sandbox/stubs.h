// SPDX-License-Identifier: Apache-2.0
// Mount points that the root does not have: made inside, and taken away again after the run, so
// that they do not show up in what the step changed. Single-threaded, helper side; the record
// travels from the inside to the helper.
#pragma once

#include "snapshotter/base/fd.h"
#include "snapshotter/base/result.h"
#include "snapshotter/snapshotter.h"

#include <sys/stat.h>

#include <string>
#include <string_view>
#include <vector>

namespace mybuild::sandbox {

/// What was done to the root's own files; paths are absolute inside the root and free of links.
struct StubRecord {
  struct Made {
    std::string path;
    bool directory = false;
  };
  /// A directory above a stub as it was before; overlayfs copied it up when the stub was made.
  struct Above {
    std::string path;
    mode_t mode = 0;
    uid_t uid = 0;
    gid_t gid = 0;
    struct timespec mtime {};
    bool has_xattrs = false;
  };
  std::vector<Made> made;    // parents before children
  std::vector<Above> above;  // parents before children
};

/// Finds and makes mount points in the root directory "/" of this process.
class MountPoints {
 public:
  static Result<MountPoints> open();
  /// The path of `target` with all links resolved; what is missing is made, 0755 root:root.
  /// Never "/": what lies over it would go in the place of the host's root, which is there, too.
  Result<std::string> ensure(std::string_view target, bool directory);
  const StubRecord& record() const { return record_; }

 private:
  explicit MountPoints(dev_t device) : device_(device) {}
  Status make(const std::string& path, bool directory);
  Status remember_above(const std::string& directory);

  dev_t device_;  // of the root: on other file systems nothing is recorded, they are not the step's
  StubRecord record_;
};

/// After the run, from outside: removes stubs that are still empty and gives their parents' times
/// back. Best effort, as the step may have changed anything.
void remove_stubs(const snapshotter::RootMount& root, const StubRecord& record);

}  // namespace mybuild::sandbox
