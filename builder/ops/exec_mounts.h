// SPDX-License-Identifier: Apache-2.0
// RUN --mount, but for its credentials: from what the Dockerfile asks for to entries of the sandbox
// plan, and the locks and directories that must live as long as the command runs.
// Thread-compatible.
#pragma once

#include "builder/ops/deps.h"
#include "builder/sandbox/plan.h"
#include "snapshotter/base/file.h"
#include "solver/graph/op_spec.h"
#include "solver/op.h"

#include <memory>
#include <string>
#include <vector>

namespace mybuild::ops {

/// What the mounts of one command hold while it runs.
struct PreparedMounts {
  std::vector<sandbox::PlanMount> mounts;
  std::vector<std::unique_ptr<snapshotter::Active>> roots;  // of bind mounts
  std::vector<FileLock> locks;                              // of cache mounts
};

/// `vertex`: with an ExecOp. `scratch`: a directory for upper layers of bind mounts. Waits for
/// cache mounts that another step holds locked.
Result<PreparedMounts> prepare_mounts(const solver::Vertex& vertex,
                                      const std::vector<solver::ResultPtr>& inputs,
                                      const std::string& scratch, const OpDeps& deps,
                                      const Cancel& cancel);

/// Outer mounts before those inside them, whatever the order in the Dockerfile.
void sort_mounts(std::vector<sandbox::PlanMount>& mounts);

/// The part of an input that a bind mount shows, for the step's content key.
Result<Digest> bind_digest(const std::string& source, const solver::ResultPtr& input,
                           const OpDeps& deps);

}  // namespace mybuild::ops
