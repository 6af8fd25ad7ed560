// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/leases.h"

#include "snapshotter/base/file.h"

namespace mybuild {

Result<std::unique_ptr<Leases>> Leases::open(const std::string& root) {
  std::string directory = join_path(root, "leases");
  RangeLocks locks = TRY(RangeLocks::open(directory));
  return std::unique_ptr<Leases>(new Leases(std::move(directory), std::move(locks)));
}

Result<bool> Leases::hold(const std::string& name) {
  const auto held = held_.lock();
  if (held->names.contains(name)) {
    return false;
  }
  TRY(held->locks.lock(name, RangeLocks::Mode::Shared));
  held->names.insert(name);
  return true;
}

Result<Removals> Leases::removals() const {
  RangeLocks locks = TRY(RangeLocks::open(directory_));
  return Removals(std::move(locks));
}

}  // namespace mybuild
