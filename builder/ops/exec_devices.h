// SPDX-License-Identifier: Apache-2.0
// RUN --device: from what CDI files say to entries of the sandbox plan. Thread-safe (no state).
#pragma once

#include "builder/devices/cdi_spec.h"
#include "builder/sandbox/plan.h"

namespace mybuild::ops {

/// Adds mounts, nodes, groups and variables; variables replace those of the same name.
Status add_devices(const devices::ContainerEdits& edits, sandbox::SandboxPlan& plan);

}  // namespace mybuild::ops
