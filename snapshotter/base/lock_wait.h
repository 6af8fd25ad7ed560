// SPDX-License-Identifier: Apache-2.0
// Waiting for a lock of the kernel with a way out. Nothing tells when a lock is given up but the
// call that takes it, so a thread waits in that; a signal takes it out of there. Thread-safe.
#pragma once

#include "snapshotter/base/result.h"

#include <functional>
#include <string>

namespace mybuild {

class Cancel;

/// `take` blocks until it has the lock and returns 0 or an errno (EINTR: it is called again). Fails
/// with the reason of `cancel` as soon as that is there.
Status wait_for_lock(const std::string& what, const std::function<int()>& take,
                     const Cancel& cancel);

}  // namespace mybuild
