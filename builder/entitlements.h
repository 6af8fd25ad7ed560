// SPDX-License-Identifier: Apache-2.0
// What a build may do beyond the sandbox: nothing but what --allow names. Checked for all commands
// before the first one runs, cached or not. Thread-safe (no state).
#pragma once

#include "snapshotter/base/result.h"
#include "solver/graph/graph.h"

#include <map>
#include <string>

namespace mybuild::builder {

struct Entitlements {
  bool network_host = false;
  bool security_insecure = false;
};

/// Denied, with its place, for the first command that wants more.
Status check_entitlements(const solver::Graph& graph, const Entitlements& allowed);

}  // namespace mybuild::builder
