// SPDX-License-Identifier: Apache-2.0
// Turns "operation not permitted" into the name of the missing right and what grants it.
// Thread-safe.
#pragma once

#include "snapshotter/base/result.h"

namespace mybuild::sandbox {

/// Whether this process has the capability CAP_SYS_ADMIN, which namespaces and mounts need.
bool has_sys_admin();
/// Adds a hint to an error with EPERM, EACCES, or ENOSYS (an old kernel); others stay as they are.
Error explain_rights(Error error);

}  // namespace mybuild::sandbox
