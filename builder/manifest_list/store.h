// SPDX-License-Identifier: Apache-2.0
// ListStore: the manifest lists of a state directory, a file each. Thread-safe, and safe between
// processes: a change is one rename, made under a lock.
#pragma once

#include "builder/manifest_list/list.h"

#include <functional>
#include <string>

namespace mybuild::manifest_list {

class ListStore {
 public:
  /// `dir` is made when there is something to keep.
  explicit ListStore(std::string dir) : dir_(std::move(dir)) {}

  /// NotFound; DataLoss when the file is damaged.
  Result<ManifestList> find(const oci::Reference& name) const;
  Result<bool> exists(const oci::Reference& name) const;
  /// What `edit` makes of the list takes its place. One that is not there is given empty.
  Status change(const oci::Reference& name,
                const std::function<Status(ManifestList& list)>& edit) const;
  /// NotFound; also of one that is damaged.
  Status remove(const oci::Reference& name) const;

 private:
  std::string path_of(const oci::Reference& name) const;

  const std::string dir_;
};

}  // namespace mybuild::manifest_list
