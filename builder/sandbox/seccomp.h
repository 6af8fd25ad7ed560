// SPDX-License-Identifier: Apache-2.0
// The default system call filter (seccomp_gen/profile.cc says what it allows). Single-threaded,
// helper side.
#pragma once

#include "snapshotter/base/result.h"

namespace mybuild::sandbox {

/// Installs the filter without no_new_privs, so that sudo works in a step. That needs
/// CAP_SYS_ADMIN: call it before the capabilities are dropped.
Status install_default_filter();

}  // namespace mybuild::sandbox
