// SPDX-License-Identifier: Apache-2.0
// Claims on steps, by content key, in the lock files of the state directory. Inside builder.
// Thread-safe, safe between processes.
#pragma once

#include "snapshotter/base/lanes.h"
#include "snapshotter/claims.h"
#include "solver/claims.h"

#include <memory>

namespace mybuild::builder {

/// References outlive the object.
std::unique_ptr<solver::StepClaims> make_step_claims(const snapshotter::Claims& claims,
                                                     Lanes& lanes);

}  // namespace mybuild::builder
