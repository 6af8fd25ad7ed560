// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/claims.h"

#include "snapshotter/base/file.h"

#include <algorithm>

namespace mybuild::snapshotter {

Claims::Claims(const std::string& root) : directory_(join_path(root, "claims")) {}

Result<std::optional<Claim>> Claims::try_take(const std::vector<std::string>& names) const {
  RangeLocks locks = TRY(RangeLocks::open(directory_));
  for (const std::string& name : names) {
    if (!TRY(locks.try_lock(name, RangeLocks::Mode::Exclusive))) {
      return std::optional<Claim>();
    }
  }
  return std::optional(Claim(std::move(locks)));
}

Result<Claim> Claims::take(std::vector<std::string> names, const Cancel& cancel,
                           const std::function<void()>& on_wait) const {
  if (std::optional<Claim> free = TRY(try_take(names))) {
    return std::move(*free);
  }
  on_wait();
  std::sort(names.begin(), names.end());
  RangeLocks locks = TRY(RangeLocks::open(directory_));
  for (const std::string& name : names) {
    TRY(locks.lock(name, RangeLocks::Mode::Exclusive, cancel));
  }
  return Claim(std::move(locks));
}

}  // namespace mybuild::snapshotter
