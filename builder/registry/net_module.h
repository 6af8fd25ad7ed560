// SPDX-License-Identifier: Apache-2.0
// The seam between the program and mybuild-net.so: one function, looked up by name. Both are built
// from one tree and installed together, so C++ objects may cross it.
#pragma once

#include "builder/registry/transport.h"

namespace mybuild::registry {

using NetModuleFactory = Transport*();
inline constexpr char kNetModuleFactory[] = "mybuild_net_make_transport";

}  // namespace mybuild::registry
