// SPDX-License-Identifier: Apache-2.0
// RUN --mount of types secret and ssh: what a command gets of its user's secrets. Values travel in
// memory files, whose descriptors the plan names; agents answer on sockets that have a name inside
// the sandbox only. Nothing of it is on a disk. Thread-compatible.
#pragma once

#include "builder/ops/deps.h"
#include "builder/sandbox/plan.h"
#include "builder/secrets/agent_proxy.h"
#include "solver/graph/op_spec.h"

#include <memory>
#include <vector>

namespace mybuild::ops {

/// What the credentials of one command hold while it runs.
class StepCredentials {
 public:
  /// Fails when a required one was not given. Waits for a secret that comes through a pipe.
  static Result<StepCredentials> prepare(const solver::ExecOp& op, const OpDeps& deps,
                                         const Cancel& cancel);

  const std::vector<sandbox::PlanMount>& mounts() const { return mounts_; }
  const std::vector<sandbox::SecretVariable>& variables() const { return variables_; }
  /// Descriptors that mounts and variables refer to, for Sandbox::run.
  const std::vector<int>& fds() const { return fds_; }

 private:
  class Preparer;
  std::vector<sandbox::PlanMount> mounts_;
  std::vector<sandbox::SecretVariable> variables_;
  std::vector<int> fds_;
  std::vector<Fd> files_;
  std::unique_ptr<secrets::AgentProxy> proxy_;
};

}  // namespace mybuild::ops
