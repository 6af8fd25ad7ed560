// SPDX-License-Identifier: Apache-2.0
// What a build may do beyond the sandbox: nothing but what --allow names. Checked for all commands
// before the first one runs, cached or not. Thread-safe (no state).
#pragma once

#include "builder/devices/device_source.h"
#include "snapshotter/base/result.h"
#include "solver/graph/graph.h"

namespace mybuild::builder {

struct Entitlements {
  bool network_host = false;
  bool security_insecure = false;
  devices::DeviceGrants devices;
};

/// Fails, with its place, for the first command that wants more, or a device that is not there.
Status check_entitlements(const solver::Graph& graph, const Entitlements& allowed,
                          devices::DeviceSource& devices);

}  // namespace mybuild::builder
