// SPDX-License-Identifier: Apache-2.0
// The lowest layer of a step's root: a place for every mount, so that none has to be made in (and
// removed from) the step's own layer. Plain file operations, no rights needed. Thread-safe.
#pragma once

#include "builder/sandbox/plan.h"
#include "snapshotter/base/result.h"

#include <string>

namespace mybuild::sandbox {

/// Fills the existing directory `directory` with mount points for `plan`: directories 0755 and
/// empty files 0644, owned by the caller. A target whose kind is not known here, or which the image
/// hides, is left to the helper.
Status make_mount_point_layer(const std::string& directory, const SandboxPlan& plan);

}  // namespace mybuild::sandbox
