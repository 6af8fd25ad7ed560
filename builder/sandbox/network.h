// SPDX-License-Identifier: Apache-2.0
// The network of a step: the host's, or a namespace with nothing but a loopback. Single-threaded,
// helper side.
#pragma once

#include "snapshotter/base/result.h"

namespace mybuild::sandbox {

/// Brings "lo" up in the network namespace of this process; the kernel adds 127.0.0.1 and ::1.
Status bring_loopback_up();

}  // namespace mybuild::sandbox
